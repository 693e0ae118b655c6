import { FakeTransport } from "./fake_socket.ts";
import { settle } from "./fake_clock.ts";
import { type Target, type TargetOptions, UnderTest } from "./under_test.ts";

/** Options of {@linkcode communicateHttp}. */
export interface HttpCommunicateOptions extends TargetOptions {
  /** @default {"GET"} */
  readonly method?: string;
  readonly body?: BodyInit;
}

/** A complete answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** The body as text. */
  readonly text: string;
}

/**
 * Sends one plain request to a consumer, or to a whole application, without a network: what Channels
 * calls an `HttpCommunicator`. It has the manners of `communicate()`, and goes wrong in the same ways;
 * beside them:
 *
 * - *`response()` waits in vain*: the answer goes on. Take it piece by piece with `chunk()`.
 * - *`chunk()` rejects*: the answer was broken off, which is what a client would see.
 *
 * @example
 * ```ts
 * import { HttpConsumer } from "@sluice/sluice/consumers";
 * import { communicateHttp } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * class Counting extends HttpConsumer {
 *   override async handle() {
 *     this.sendHeaders({ headers: { "content-type": "text/plain" } });
 *     await this.sendBody("1 ", { more: true });
 *     await this.sendBody("2");
 *   }
 * }
 *
 * await using client = communicateHttp(Counting);
 * assert.equal((await client.head()).status, 200);
 * assert.equal(await client.chunk(), "1 ");
 * assert.equal(await client.chunk(), "2");
 * assert.equal(await client.chunk(), undefined);
 * ```
 */
export function communicateHttp<S>(
  target: Target<S>,
  options: HttpCommunicateOptions = {},
): HttpCommunicator {
  return new HttpCommunicator(target as Target<never>, options);
}

/** The client of one request: see {@linkcode communicateHttp}. */
export class HttpCommunicator implements AsyncDisposable {
  readonly #target: UnderTest;
  readonly #options: HttpCommunicateOptions;
  readonly #leaving = new AbortController();
  #response: Response | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #sent = false;

  constructor(target: Target<never>, options: HttpCommunicateOptions) {
    this.#options = options;
    this.#target = new UnderTest(target, options, new FakeTransport());
  }

  /** Sends the request, once, and does not wait for the answer. */
  async send(): Promise<void> {
    if (!this.#sent) this.#begin();
    await settle();
    this.#target.raise();
  }

  /** Sends the request and waits until its answer has begun. */
  async head(): Promise<{ status: number; headers: Headers }> {
    if (!this.#sent) this.#begin();
    await this.#target.until(() => this.#response !== undefined, "an answer");
    const { status, headers } = this.#response!;
    return { status, headers };
  }

  /** Waits for the next piece of the body, as text; undefined at its end. */
  async chunk(): Promise<string | undefined> {
    const bytes = await this.chunkBytes();
    return bytes && new TextDecoder().decode(bytes);
  }

  /** Waits for the next piece of the body; undefined at its end. */
  async chunkBytes(): Promise<Uint8Array | undefined> {
    if (this.#response === undefined) await this.head();
    this.#reader ??= this.#response!.body?.getReader();
    let read: ReadableStreamReadResult<Uint8Array> | undefined;
    let failure: { error: unknown } | undefined;
    this.#reader?.read().then((result) => read = result, (error) => failure = { error })
      .then(() => this.#target.changed());
    if (this.#reader === undefined) return undefined;
    await this.#target.until(() => read !== undefined || failure !== undefined, "a piece of body");
    if (failure !== undefined) throw failure.error;
    return read?.value;
  }

  /** Waits for the whole answer. */
  async response(): Promise<HttpAnswer> {
    const { status, headers } = await this.head();
    const chunks: Uint8Array[] = [];
    for (let next = await this.chunkBytes(); next; next = await this.chunkBytes()) {
      chunks.push(next);
    }
    const body = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
    this.#target.raise();
    return { status, headers, body, text: new TextDecoder().decode(body) };
  }

  /** Returns whether no answer has begun once everything has settled. */
  async receivesNothing(): Promise<boolean> {
    await this.send();
    return this.#response === undefined;
  }

  /** Goes away before the answer is complete. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    await this.#reader?.cancel();
    if (this.#reader === undefined) await this.#response?.body?.cancel();
    await settle();
    this.#target.raise();
  }

  /** Waits until the consumer is through, its `disconnect()` included. */
  wait(): Promise<void> {
    return this.#target.over();
  }

  /** Goes away, and throws what the consumer has thrown that no method has thrown. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }

  #begin(): void {
    this.#sent = true;
    const { method = "GET", body = null } = this.#options;
    void this.#target.request({ method, body, signal: this.#leaving.signal }).then((response) => {
      this.#response = response;
      this.#target.changed();
    }).catch(reportError);
  }
}
