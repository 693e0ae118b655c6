import type { AcceptOptions } from "../../core/connection.ts";
import { type Clock, systemClock } from "../../core/clock.ts";
import type { Socket, SocketEvents } from "../../core/transport.ts";
import { CloseCode } from "../../protocol/mod.ts";

/** Bytes buffered for the network before the rest counts as waiting. */
const HIGH_WATER_MARK = 65_536;

/** How often a comment is written, so that proxies do not end a silent response, in milliseconds. */
const COMMENT_MS = 15_000;

const HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
  "x-content-type-options": "nosniff",
};

const encoder = new TextEncoder();

/**
 * A socket in one direction: sends messages as server-sent events. The client posts its own messages.
 *
 * The event `open` has the id with which it posts; events without a name are messages; `close` has
 * the close code and the reason.
 */
export class EventStreamSocket implements Socket {
  /** The response with the events. */
  readonly response: Response;
  readonly #events: SocketEvents;
  readonly #clock: Clock;
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  #isOpen = false;
  #stopComments = () => {};

  constructor(
    events: SocketEvents,
    { eventStream, headers }: AcceptOptions,
    clock: Clock = systemClock,
  ) {
    this.#events = events;
    this.#clock = clock;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#body = controller),
      pull: () => this.#pulled(),
      cancel: () => this.#ended(CloseCode.abnormal, ""),
    }, new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_MARK }));
    this.response = new Response(body, { headers: { ...HEADERS, ...plain(headers) } });
    this.#write(`event: open\ndata: ${eventStream}\n\n`);
    this.#commentLater();
  }

  get bufferedAmount(): number {
    return HIGH_WATER_MARK - (this.#body?.desiredSize ?? HIGH_WATER_MARK);
  }

  send(data: string | Uint8Array): void {
    if (typeof data !== "string") throw new TypeError("An event stream carries text only");
    this.#write(`data: ${data.replaceAll("\n", "\ndata: ")}\n\n`);
  }

  close(code: number, reason: string): void {
    this.#write(`event: close\ndata: ${code} ${reason.replaceAll(/[\r\n]+/g, " ")}\n\n`);
    this.#body?.close();
    this.#ended(code, reason);
  }

  /** The connection opens when the server begins to read the response. */
  #pulled(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#events.open();
  }

  #ended(code: number, reason: string): void {
    if (this.#body === undefined) return;
    this.#body = undefined;
    this.#stopComments();
    this.#events.close(code, reason);
  }

  #commentLater(): void {
    this.#stopComments = this.#clock.after(COMMENT_MS, () => {
      this.#write(":\n\n");
      this.#commentLater();
    });
  }

  #write(text: string): void {
    this.#body?.enqueue(encoder.encode(text));
  }
}

function plain(headers: HeadersInit | undefined): Record<string, string> {
  return Object.fromEntries(new Headers(headers));
}
