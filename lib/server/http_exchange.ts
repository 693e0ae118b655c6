import { CloseCode, Refusal } from "../protocol/mod.ts";
import type { Exchange, Freshness, ResponseHead, Socket, SocketEvents } from "../scope.ts";
import { refusalOfEnd } from "./refusal_of_end.ts";

/** How a plain request was answered. */
export type Answer = Response | Refusal;

/** Bytes of an answer that wait for the network before `drained()` waits too. */
const HIGH_WATER_MARK = 65_536;

/** Statuses whose answers have no body (Fetch §2.2.3). */
const BODILESS: readonly number[] = [204, 205, 304];

const encoder = new TextEncoder();

/**
 * A plain request and its answer, in the shape of a socket: what is sent is the body, its close the
 * end of it. So one connection of the server serves both.
 */
export class HttpExchange implements Exchange, Socket {
  /** Resolves when the answer has begun, or will not begin any more. */
  readonly answer: Promise<Answer>;
  readonly #events: SocketEvents;
  readonly #freshness: Freshness | undefined;
  #hasResponse = false;
  #answer!: (answer: Answer) => void;
  #isPending = true;
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  #drained: (() => void)[] = [];

  /** With `freshness`, an answer waits while what is known of permissions is stale. */
  constructor(events: SocketEvents, freshness?: Freshness) {
    this.#events = events;
    this.#freshness = freshness;
    this.answer = new Promise((resolve) => this.#answer = resolve);
  }

  /** Whether the answer has not begun. */
  get isPending(): boolean {
    return this.#isPending;
  }

  /** Whether the answer is known, and waits until the process is fresh. */
  get isHeld(): boolean {
    return this.#isPending && this.#hasResponse;
  }

  get bufferedAmount(): number {
    return HIGH_WATER_MARK - (this.#body?.desiredSize ?? HIGH_WATER_MARK);
  }

  respond(head: ResponseHead, body?: Uint8Array): void {
    if (!this.#isPending || this.#hasResponse) {
      throw new TypeError("Cannot begin the answer: it has begun already");
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

  /** Answers with a refusal, or returns false: the answer has begun. */
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

  /** Ends the body: completely with 1000, else so that the peer sees it was broken off. */
  close(code: number, reason: string): void {
    const body = this.#body;
    this.#body = undefined;
    this.refuse(refusalOfEnd(code));
    if (code === CloseCode.normal) body?.close();
    else body?.error(brokenOff(code, reason));
    this.#wake();
    this.#events.close(code, reason);
  }

  /** Lets go of everything: the client is not there any more. */
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

/** Without a stack: servers print it, and it happens whenever a session ends. */
function brokenOff(code: number, reason: string): Error {
  const error = new Error(`Broken off: ${code} ${reason}`);
  error.stack = error.message;
  return error;
}
