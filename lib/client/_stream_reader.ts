import type { OlderMessages } from "./realtime_socket.ts";
import type { StreamStart } from "./connect_options.ts";
import type { MessageFrame } from "../protocol/mod.ts";
import type { HistoryData, HistoryRequest, StreamData, StreamMark } from "../protocol/frames.ts";
import type { ClientEnvironment } from "./environment.ts";
import type { RequestError } from "./request_error.ts";
import type { LoadBeforeOptions, Recovery, StreamPosition } from "./stream_options.ts";

/** What a {@linkcode StreamReader} uses. */
export interface StreamReaderContext {
  readonly environment: Pick<ClientEnvironment, "after" | "random" | "report">;
  /** Asks the server for messages. Rejects if the connection is lost before the reply. */
  history(request: HistoryRequest): Promise<HistoryData>;
  /** Passes a message to the listeners. */
  deliver(frame: MessageFrame): void;
  /** Tells how reading went on after an interruption. */
  recovered(recovery: Recovery): void;
}

/** How long a missing message is awaited before it is asked for, in milliseconds. */
const HOLE_MS = 50;

/** Most messages that are kept while earlier ones are missing; more are asked for later. */
const MAX_EARLY = 1_000;

/** Messages asked for at once. */
const PAGE = 500;

/** Delay before a failed request is repeated, in milliseconds; a random part is added. */
const RETRY_MS = 1_000;

/**
 * Reads one stream: passes on each message once and in order, whatever connections do.
 *
 * The server sends the extent of the stream on each connection. Messages that are missing between the
 * position and the extent, or before a message that has arrived, are asked for.
 */
export class StreamReader {
  /** The last message that was passed on. */
  position: StreamPosition | undefined;
  readonly #name: string;
  readonly #context: StreamReaderContext;
  readonly #newest: number;
  /** The offset before which older messages can be loaded. */
  #oldest = 1;
  /** Messages that arrived too early, by offset. */
  readonly #early = new Map<number, MessageFrame & StreamMark>();
  #isReading = false;
  /** Whether the extent has not arrived on this connection. */
  #isWaiting = true;
  #connection = 0;
  #stopTimer: () => void = () => {};

  constructor(name: string, context: StreamReaderContext, start: StreamStart = {}) {
    const { from, newest = 0 } = start;
    this.#name = name;
    this.#context = context;
    this.#newest = newest;
    if (from) this.#jump(from);
  }

  /** Called when a connection is lost. The next one begins with the extent. */
  disconnect(): void {
    this.#connection++;
    this.#isWaiting = true;
    this.#isReading = false;
    this.#early.clear();
    this.#stopTimer();
  }

  /** Takes the extent of the stream. */
  extend({ epoch, first, offset }: StreamData): void {
    const wasWaiting = this.#isWaiting;
    const isResuming = wasWaiting && this.position !== undefined;
    this.#isWaiting = false;
    if (!this.position) {
      this.#jump({ epoch, offset: Math.max(first - 1, offset - this.#newest, 0) });
    }
    if (this.#isReading) return;
    const position = this.position!;
    // While connected, messages may have overtaken the extent; on entry, the server has lost them.
    const isCurrent = position.epoch === epoch &&
      (position.offset === offset || (!wasWaiting && position.offset > offset));
    if (!isCurrent) return void this.#readMissing(isResuming);
    if (isResuming) this.#tell(true, 0);
    this.#drain();
  }

  /** Takes a message that has arrived. */
  receive(frame: MessageFrame & StreamMark): void {
    if (this.#early.size < MAX_EARLY) this.#early.set(frame.offset, frame);
    if (!this.#isWaiting && !this.#isReading) this.#drain();
  }

  /** Loads older messages. */
  async loadBefore(options: LoadBeforeOptions = {}): Promise<OlderMessages> {
    const { before = this.#oldest, limit } = options;
    const request = { stream: this.#name, epoch: this.position?.epoch, before, limit };
    const history = await this.#context.history(request);
    if (!history.recovered) return { messages: [], more: false };
    const messages = this.#marked(history);
    this.#oldest = Math.min(before, messages[0]?.offset ?? before);
    return { messages, more: history.more };
  }

  /** Sets a position that does not follow the last one. */
  #jump(position: StreamPosition): void {
    this.position = position;
    this.#oldest = position.offset + 1;
  }

  /** Passes on the messages that follow the position. Asks for missing ones after a moment. */
  #drain(): void {
    const { epoch } = this.position!;
    for (;;) {
      const frame = this.#early.get(this.position!.offset + 1);
      if (frame?.epoch !== epoch) break;
      this.#deliver(frame);
    }
    for (const [offset, frame] of this.#early) {
      if (frame.epoch === epoch && offset > this.position!.offset) continue;
      this.#early.delete(offset);
      if (frame.epoch !== epoch) return void this.#readMissing();
    }
    this.#stopTimer();
    if (this.#early.size) {
      this.#stopTimer = this.#context.environment.after(HOLE_MS, () => void this.#readMissing());
    }
  }

  /** Asks for the messages after the position until none is missing. Never rejects. */
  async #readMissing(isResuming = false): Promise<void> {
    this.#isReading = true;
    this.#stopTimer();
    const connection = this.#connection;
    let missed = 0;
    let recovered = true;
    try {
      for (let more = true; more;) {
        const { epoch, offset: after } = this.position!;
        const request = { stream: this.#name, epoch, after, limit: PAGE };
        const history = await this.#context.history(request);
        if (connection !== this.#connection) return;
        recovered &&= history.recovered;
        missed += this.#take(history);
        more = history.more;
      }
    } catch (error) {
      if (connection === this.#connection) this.#fail(error, isResuming);
      return;
    }
    this.#isReading = false;
    if (isResuming || !recovered) this.#tell(recovered, missed);
    this.#drain();
  }

  /** Passes on the messages of a reply. Returns their number. */
  #take(history: HistoryData): number {
    const { epoch, first, offset, recovered, messages } = history;
    if (!recovered) {
      this.#jump({ epoch, offset: (messages[0]?.offset ?? Math.max(first, offset + 1)) - 1 });
    }
    // A new epoch continues the old one if nothing was lost.
    const { offset: after } = this.position!;
    this.position = { epoch, offset: after };
    const missing = this.#marked(history).filter((message) => message.offset > after);
    for (const message of missing) this.#deliver(message);
    return missing.length;
  }

  #fail(error: unknown, isResuming: boolean): void {
    this.#isReading = false;
    const { environment } = this.#context;
    const { code } = error as Partial<RequestError>;
    if (code === "FORBIDDEN" || code === "CLOSED") return;
    if (!code) environment.report(error); // A bug in the client or its environment.
    const delayMs = RETRY_MS * (1 + environment.random());
    this.#stopTimer = environment.after(delayMs, () => void this.#readMissing(isResuming));
  }

  #deliver(frame: MessageFrame & StreamMark): void {
    const { epoch, offset } = frame;
    this.#early.delete(offset);
    this.position = { epoch, offset };
    this.#context.deliver(frame);
  }

  #marked({ epoch, messages }: HistoryData): (MessageFrame & StreamMark)[] {
    return messages.map((message) => ({ data: undefined, ...message, stream: this.#name, epoch }));
  }

  #tell(recovered: boolean, missed: number): void {
    this.#context.recovered({ stream: this.#name, recovered, missed });
  }
}
