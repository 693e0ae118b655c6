import { CloseCode, Refusal } from "../protocol/mod.ts";
import { readBody } from "../core/read_body.ts";
import type { Exchange, ResponseHead } from "../core/connection.ts";
import { StopConsumer } from "../core/consumer.ts";
import type { Scope } from "../core/scope.ts";
import { AcceptConnection } from "./accept_connection.ts";
import { BaseConsumer, joinGroups } from "./base_consumer.ts";
import { deleteCookie, setCookie } from "./set_cookie.ts";

const encoder = new TextEncoder();

/**
 * Serves one plain request: with one response, with a stream of any length, or after an event in a
 * group (long polling). It has the same scope, channel and groups as a socket consumer, and ends with
 * its session.
 *
 * Methods run one at a time and in order. `disconnect()` runs exactly once per accepted request: with
 * 1000 after a complete response, with 1006 after the client disconnected. An error before the
 * response has started is answered with a 500 without details; a `Refusal` becomes the response. A
 * later error aborts the response, so that the client sees that it is incomplete.
 *
 * @example
 * ```ts
 * import { HttpConsumer } from "@sluice/sluice";
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
   * Largest request body, in bytes. A larger one is answered with 413; one that takes longer than 30 s
   * to arrive is answered with 408.
   */
  get maxBodyBytes(): number {
    return 1_048_576;
  }

  /** Handles the request. `body` is the complete body. */
  abstract handle(body: Uint8Array): void | Promise<void>;

  /** Called by the server: runs {@linkcode connect} and {@linkcode handle}. Do not override. */
  async start(): Promise<void> {
    const { useTicket } = this.scope;
    if (useTicket !== undefined && !await useTicket()) return this.refuse("TICKET_INVALID");
    const may = this.authorize();
    if (may !== true && !await may) return this.refuse();
    try {
      await this.connect();
    } catch (error) {
      if (!(error instanceof AcceptConnection)) throw error;
    }
    if (this.scope.connection.phase !== "deciding") return; // Refused.
    this.#exchange = this.scope.connection.acceptRequest();
    await joinGroups(this);
    await this.handle(await this.#readBody());
    if (this.#hasBegun || this.#isWaiting || this.#isOver) return;
    throw new TypeError("handle() sent no response: call sendResponse(), or wait() for an event");
  }

  /** Called before the body is read. Accepts the request unless it calls `refuse()`. */
  connect(): void | Promise<void> {}

  /**
   * Sets status and headers. They are sent with the first chunk of the body; `sendBody("", { more:
   * true })` sends them at once.
   *
   * @throws {TypeError} The response has started or the headers are already set.
   */
  sendHeaders(head: {
    /** The status code. @default {200} */
    readonly status?: number | undefined;
    /** The response headers. */
    readonly headers?: HeadersInit | undefined;
  } = {}): void {
    if (this.#head !== undefined) throw new TypeError("Cannot set the headers twice");
    this.#head = head;
  }

  /**
   * Sends a chunk of the body. Without `more` it is the last one and completes the response.
   *
   * Resolves when there is room for the next chunk, so that a large body does not outrun its reader;
   * resolves to false if the connection has ended. Without awaiting, up to `sendBufferBytes` may be
   * queued; beyond that the response is aborted.
   *
   * @throws {TypeError} `sendHeaders()` was not called.
   */
  async sendBody(body: Uint8Array | string, options: { more?: boolean } = {}): Promise<boolean> {
    const bytes = typeof body === "string" ? encoder.encode(body) : body;
    const exchange = this.#exchange;
    if (exchange === undefined || this.#head === undefined) {
      throw new TypeError("Cannot send a body: call sendHeaders() first");
    }
    if (this.#isOver) return false;
    const isWhole = !this.#hasBegun && options.more !== true;
    if (!this.#hasBegun) this.#begin(exchange, isWhole ? bytes : undefined);
    const isSent = isWhole || this.scope.connection.send(bytes);
    if (options.more !== true) this.close();
    else if (isSent) await exchange.drained();
    return isSent && (options.more !== true || !this.#isOver);
  }

  /** Sends a complete response. */
  sendResponse(
    status: number,
    body: Uint8Array | string = "",
    headers?: HeadersInit,
  ): Promise<boolean> {
    this.sendHeaders({ status, headers });
    return this.sendBody(body);
  }

  /**
   * Leaves the response to a later method, such as `event()`, for up to `ms` milliseconds and at most
   * the server's `answerTimeoutMs`. Then {@linkcode timedOut} responds.
   */
  wait(ms: number): void {
    this.#isWaiting = true;
    this.scope.connection.after(ms, () => this.#hasBegun ? undefined : this.timedOut());
  }

  /** Responds if no other method did during {@linkcode wait}: with 204 by default. */
  async timedOut(): Promise<void> {
    await this.sendResponse(204);
  }

  /** Sets a cookie with the response. See {@linkcode setCookie}. */
  setCookie(name: string, value: string, options?: Parameters<typeof setCookie>[3]): void {
    setCookie(this.#pendingCookies, name, value, options);
  }

  /** Deletes a cookie with the response. */
  deleteCookie(name: string, place?: Parameters<typeof deleteCookie>[2]): void {
    deleteCookie(this.#pendingCookies, name, place);
  }

  /** Adds a ready-made `Set-Cookie` header, such as those of `login()` and `logout()`. */
  addSetCookie(header: string): void {
    this.#pendingCookies.append("set-cookie", header);
  }

  async #readBody(): Promise<Uint8Array> {
    try {
      return await readBody(this.scope, { maxBytes: this.maxBodyBytes });
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== "BODY_INCOMPLETE") throw error;
      this.scope.connection.end(CloseCode.abnormal, "client disconnected");
      throw new StopConsumer("The client disconnected");
    }
  }

  get #isOver(): boolean {
    return this.scope.connection.phase === "ended";
  }

  get #pendingCookies(): Headers {
    if (this.#hasBegun) throw new TypeError("Cannot set a cookie: the response has started");
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
