import type { Application } from "../core/scope.ts";
import type { ConsumerClass } from "../routing/router.ts";
import { FakeTransport } from "./fake_socket.ts";
import { settle } from "./fake_clock.ts";
import { type TestOptions, type TestTarget, UnderTest } from "./under_test.ts";

/**
 * Sends one plain request to a consumer or an application without a network, like the
 * `HttpCommunicator` of Channels. It works like `communicate()`, with the same common mistakes, and
 * two more:
 *
 * - *`response()` times out*: the response does not end. Read it in chunks with `chunk()`.
 * - *`chunk()` rejects*: the response was aborted; a client would see this, too.
 *
 * @example
 * ```ts
 * import { HttpConsumer } from "@sluice/sluice";
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
  target: ConsumerClass<S> | Application<S>,
  options: TestOptions = {},
): HttpCommunicator {
  return new HttpCommunicator(target as TestTarget<never>, options);
}

/**
 * The client of one request: see {@linkcode communicateHttp}.
 *
 * @example
 * ```ts
 * import { Refusal } from "@sluice/sluice";
 * import { communicateHttp, type HttpCommunicator } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * await using client: HttpCommunicator = communicateHttp(() => Refusal.of("FORBIDDEN"));
 * assert.equal((await client.response()).status, 403);
 * ```
 */
export class HttpCommunicator implements AsyncDisposable {
  readonly #target: UnderTest;
  readonly #options: TestOptions;
  readonly #leaving = new AbortController();
  #response: Response | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #sent = false;

  /** Created by {@linkcode communicateHttp}. */
  constructor(target: TestTarget<never>, options: TestOptions) {
    this.#options = options;
    this.#target = new UnderTest(target, options, new FakeTransport());
  }

  /** Sends the request, once, without waiting for the response. */
  async send(): Promise<void> {
    if (!this.#sent) this.#begin();
    await settle();
    this.#target.raise();
  }

  /** Sends the request and waits until the response has started. */
  async head(): Promise<{ status: number; headers: Headers }> {
    if (!this.#sent) this.#begin();
    await this.#target.until(() => this.#response !== undefined, "a response");
    const { status, headers } = this.#response!;
    return { status, headers };
  }

  /** Waits for the next chunk of the body, as text; undefined at the end. */
  async chunk(): Promise<string | undefined> {
    const bytes = await this.chunkBytes();
    return bytes && new TextDecoder().decode(bytes);
  }

  /** Waits for the next chunk of the body; undefined at the end. */
  async chunkBytes(): Promise<Uint8Array | undefined> {
    if (this.#response === undefined) await this.head();
    this.#reader ??= this.#response!.body?.getReader();
    let read: ReadableStreamReadResult<Uint8Array> | undefined;
    let failure: { error: unknown } | undefined;
    this.#reader?.read().then((result) => read = result, (error) => failure = { error })
      .then(() => this.#target.changed());
    if (this.#reader === undefined) return undefined;
    await this.#target.until(
      () => read !== undefined || failure !== undefined,
      "a chunk of the body",
    );
    if (failure !== undefined) throw failure.error;
    return read?.value;
  }

  /** Waits for the whole response. */
  async response(): Promise<{
    readonly status: number;
    readonly headers: Headers;
    readonly body: Uint8Array;
    /** The body as text. */
    readonly text: string;
  }> {
    const { status, headers } = await this.head();
    const chunks: Uint8Array[] = [];
    for (let next = await this.chunkBytes(); next; next = await this.chunkBytes()) {
      chunks.push(next);
    }
    const body = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
    this.#target.raise();
    return { status, headers, body, text: new TextDecoder().decode(body) };
  }

  /** Waits until everything has settled, and returns whether no response has started. */
  async receivesNothing(): Promise<boolean> {
    await this.send();
    return this.#response === undefined;
  }

  /** Disconnects before the response is complete. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    await this.#reader?.cancel();
    if (this.#reader === undefined) await this.#response?.body?.cancel();
    await settle();
    this.#target.raise();
  }

  /** Waits until the consumer has finished, including its `disconnect()`. */
  wait(): Promise<void> {
    return this.#target.over();
  }

  /** Disconnects, and throws any error of the consumer that is left. */
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
