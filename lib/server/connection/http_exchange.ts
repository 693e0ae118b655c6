import { clearImmediate, setImmediate } from "node:timers";
import { CloseCode, Refusal } from "../../protocol/mod.ts";
import type { Exchange, ResponseHead } from "../../core/connection.ts";
import type { Freshness } from "../../core/freshness.ts";
import type { Socket, SocketEvents } from "../../core/transport.ts";
import { refusalOfEnd } from "../refusals.ts";

/** The answer to a plain request. */
export type Answer = Response | Refusal;

/** Bytes of the body buffered for the network before `drained()` waits. */
const HIGH_WATER_MARK = 65_536;

/** Statuses without a response body (Fetch §2.2.3). */
const BODILESS: readonly number[] = [204, 205, 304];

const encoder = new TextEncoder();

/**
 * Adapts a plain request and its response to the shape of a socket: sent data is the body, and closing
 * ends it. The same connection class serves both.
 */
export class HttpExchange implements Exchange, Socket {
  /** Resolves with the response once it starts, or with a refusal. */
  readonly answer: Promise<Answer>;
  readonly #events: SocketEvents;
  readonly #freshness: Freshness | undefined;
  #hasResponse = false;
  #answer!: (answer: Answer) => void;
  #isPending = true;
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  #drained: (() => void)[] = [];

  /** With `freshness`, the response waits until permissions are up to date. */
  constructor(events: SocketEvents, freshness?: Freshness) {
    this.#events = events;
    this.#freshness = freshness;
    this.answer = new Promise((resolve) => this.#answer = resolve);
  }

  /** Whether the response has not started. */
  get isPending(): boolean {
    return this.#isPending;
  }

  /** Whether the response is ready but waits until permissions are up to date. */
  get isHeld(): boolean {
    return this.#isPending && this.#hasResponse;
  }

  get bufferedAmount(): number {
    return HIGH_WATER_MARK - (this.#body?.desiredSize ?? HIGH_WATER_MARK);
  }

  respond(head: ResponseHead, body?: Uint8Array): void {
    if (!this.#isPending || this.#hasResponse) {
      throw new TypeError("Cannot start the response: it has already started");
    }
    this.#hasResponse = true;
    const { status = 200, headers = {} } = head;
    const init = { status, headers };
    const content = BODILESS.includes(init.status) ? null : body ?? this.#stream();
    const response = new Response(content as BodyInit | null, init);
    const begin = () => {
      if (!this.#isPending) return; // Refused meanwhile.
      this.#isPending = false;
      this.#answer(response);
      this.#events.open();
    };
    if (this.#freshness?.isStale === true) this.#freshness.whenFresh(begin);
    else begin();
  }

  /** Answers with a refusal. Returns false if the response has already started. */
  refuse(refusal: Refusal): boolean {
    if (!this.#isPending) return false;
    this.#isPending = false;
    this.#answer(refusal);
    return true;
  }

  drained(): Promise<void> {
    if (this.#body === undefined || (this.#body.desiredSize ?? 1) > 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  send(data: string | Uint8Array): void {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    if (bytes.length > 0) this.#body?.enqueue(bytes);
  }

  /** Ends the body: complete with 1000, otherwise with an error that the peer can detect. */
  close(code: number, reason: string): void {
    const body = this.#body;
    this.#body = undefined;
    this.refuse(refusalOfEnd(code));
    if (code === CloseCode.normal) body?.close();
    else body?.error(new AbortedResponse(code, reason));
    this.#wake();
    this.#events.close(code, reason);
  }

  /** Releases everything once the client has gone. */
  abandon(): void {
    this.close(CloseCode.normal, "");
  }

  #stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#body = controller),
      pull: () => this.#wake(),
      cancel: () => {
        this.#body = undefined;
        this.#wake();
        this.#events.close(CloseCode.abnormal, "");
      },
    }, new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_MARK }));
  }

  #wake(): void {
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}

/**
 * The error of a body that ends early: with its session, in a drain, or because its client reads too
 * slowly. Has no stack, because servers print it, and it is no failure.
 */
export class AbortedResponse extends Error {
  override readonly name = "AbortedResponse";

  constructor(code: number, reason: string) {
    super(`Response aborted: ${code} ${reason}`);
    this.stack = this.message;
  }
}

/**
 * Calls back when the client of a pending request disconnects. Returns a function that stops watching.
 *
 * Watching starts after one turn of the event loop, so an immediate response costs nothing: the
 * request's signal is created on first access, and Deno also aborts it, with a warning, after a
 * complete response.
 */
export function onClientGone(request: Request, callback: () => void): () => void {
  let signal: AbortSignal | undefined;
  const immediate = setImmediate(() => {
    signal = request.signal;
    if (signal.aborted) callback();
    else signal.addEventListener("abort", callback, { once: true });
  });
  return () => {
    clearImmediate(immediate);
    signal?.removeEventListener("abort", callback);
  };
}
