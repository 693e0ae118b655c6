import { CloseCode, Refusal } from "../protocol/mod.ts";
import { readBody } from "../read_body.ts";
import { type Exchange, type ResponseHead, type Scope, StopConsumer } from "../scope.ts";
import { AcceptConnection } from "./accept_connection.ts";
import { BaseConsumer, joinGroups } from "./base_consumer.ts";
import { type CookiePlace, deleteCookie, setCookie, type SetCookieOptions } from "./set_cookie.ts";

const encoder = new TextEncoder();

/**
 * Serves one plain request: at once, piece by piece for as long as it likes, or when something
 * happens in a group (long-polling). It has the same scope, channel and groups as a consumer of
 * sockets, and ends with its session like one.
 *
 * Its methods run one at a time and in order. `disconnect()` runs exactly once for each request that
 * was let in: after a complete answer with 1000, after its client went away with 1006. What a method
 * throws before the answer has begun is a 500 that says nothing of it (a `Refusal` is the answer);
 * later it breaks the answer off, so that the client sees it is not whole.
 *
 * @example
 * ```ts
 * import { HttpConsumer } from "@sluice/sluice/consumers";
 * import { communicateHttp } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * class Double extends HttpConsumer {
 *   override async handle(body: Uint8Array) {
 *     const number = Number(new TextDecoder().decode(body));
 *     await this.sendResponse(200, String(2 * number), { "content-type": "text/plain" });
 *   }
 * }
 *
 * const answer = await communicateHttp(Double, { method: "POST", body: "21" }).response();
 * assert.equal(answer.status, 200);
 * assert.equal(answer.text, "42");
 * ```
 */
export abstract class HttpConsumer<out S extends Scope = Scope> extends BaseConsumer<S> {
  #exchange: Exchange | undefined;
  #head: ResponseHead | undefined;
  #cookies: Headers | undefined;
  #hasBegun = false;
  #isWaiting = false;

  /**
   * Largest body of a request, in bytes. A larger one is answered with 413, one that takes longer than
   * 30 s to arrive with 408.
   */
  get maxBodyBytes(): number {
    return 1_048_576;
  }

  /** Handles the request. `body` is all of it. */
  abstract handle(body: Uint8Array): void | Promise<void>;

  /** Called by the server: {@linkcode connect}, {@linkcode handle}. Not for overriding. */
  async start(): Promise<void> {
    const may = this.authorize();
    if (may !== true && !await may) return this.deny();
    try {
      await this.connect();
    } catch (error) {
      if (!(error instanceof AcceptConnection)) throw error;
    }
    if (this.scope.connection.phase !== "deciding") return; // Turned away.
    this.#exchange = this.scope.connection.acceptRequest();
    await joinGroups(this);
    await this.handle(await this.#readBody());
    if (this.#hasBegun || this.#isWaiting || this.#isOver) return;
    throw new TypeError("handle() sent no answer: sendResponse(), or wait() for an event");
  }

  /** Decides whether to let the request in, before its body is read: `deny()` turns it away. */
  connect(): void | Promise<void> {}

  /**
   * Sets status and headers. They leave with the first piece of the body, as nothing can be taken
   * back then; `sendBody("", { more: true })` makes them leave at once.
   *
   * @throws {TypeError} The answer has begun, or was given a head already.
   */
  sendHeaders(head: ResponseHead = {}): void {
    if (this.#head !== undefined) throw new TypeError("Cannot set the headers twice");
    this.#head = head;
  }

  /**
   * Sends a piece of the body; without `more` the last one, with which the answer is complete.
   *
   * Resolves when there is room for the next piece, so that a large body waits for its reader; false
   * where the connection is over. Who does not wait may have `sendBufferBytes` under way; with more,
   * the answer is broken off.
   *
   * @throws {TypeError} `sendHeaders()` has not been called.
   */
  async sendBody(body: Uint8Array | string, options: { more?: boolean } = {}): Promise<boolean> {
    const bytes = typeof body === "string" ? encoder.encode(body) : body;
    const exchange = this.#exchange;
    if (exchange === undefined || this.#head === undefined) {
      throw new TypeError("Cannot send a body: sendHeaders() comes first");
    }
    if (this.#isOver) return false;
    const isWhole = !this.#hasBegun && options.more !== true;
    if (!this.#hasBegun) this.#begin(exchange, isWhole ? bytes : undefined);
    const isSent = isWhole || this.scope.connection.send(bytes);
    if (options.more !== true) this.close();
    else if (isSent) await exchange.drained();
    return isSent && (options.more !== true || !this.#isOver);
  }

  /** Sends a complete answer. */
  sendResponse(
    status: number,
    body: Uint8Array | string = "",
    headers?: HeadersInit,
  ): Promise<boolean> {
    this.sendHeaders({ status, headers });
    return this.sendBody(body);
  }

  /**
   * Leaves the answer to a later method, such as `event()`, for up to `ms` milliseconds (and at most
   * the server's `answerTimeoutMs`): then {@linkcode timedOut} answers.
   */
  wait(ms: number): void {
    this.#isWaiting = true;
    this.scope.connection.after(ms, () => this.#hasBegun ? undefined : this.timedOut());
  }

  /** Answers after {@linkcode wait}, where nothing else did: with 204 by default. */
  async timedOut(): Promise<void> {
    await this.sendResponse(204);
  }

  /** Sets a cookie with the answer. See {@linkcode setCookie}. */
  setCookie(name: string, value: string, options?: SetCookieOptions): void {
    setCookie(this.#pendingCookies, name, value, options);
  }

  /** Makes the browser forget a cookie with the answer. */
  deleteCookie(name: string, place?: CookiePlace): void {
    deleteCookie(this.#pendingCookies, name, place);
  }

  /** Adds a `Set-Cookie` header that was written elsewhere, as by `login()` and `logout()`. */
  addSetCookie(header: string): void {
    this.#pendingCookies.append("set-cookie", header);
  }

  async #readBody(): Promise<Uint8Array> {
    try {
      return await readBody(this.scope, { maxBytes: this.maxBodyBytes });
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== "BODY_INCOMPLETE") throw error;
      this.scope.connection.end(CloseCode.abnormal, "the client left");
      throw new StopConsumer("The client left");
    }
  }

  get #isOver(): boolean {
    return this.scope.connection.phase === "ended";
  }

  get #pendingCookies(): Headers {
    if (this.#hasBegun) throw new TypeError("Cannot set a cookie: the answer has begun");
    return this.#cookies ??= new Headers();
  }

  #begin(exchange: Exchange, whole: Uint8Array | undefined): void {
    const { status, headers } = this.#head!;
    const all = new Headers(headers);
    for (const header of this.#cookies?.getSetCookie() ?? []) all.append("set-cookie", header);
    exchange.respond({ status, headers: all }, whole);
    this.#hasBegun = true;
  }
}
