import type {
  HistoryData,
  HistoryRequest,
  MessageFrame,
  StreamData,
  StreamMark,
} from "../protocol/mod.ts";
import type { ClientEnvironment } from "./environment.ts";
import type { Recovery, StreamPosition, StreamStart } from "./stream_options.ts";

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
  readonly #name: string;
  readonly #context: StreamReaderContext;
  readonly #start: StreamStart;
  /** The last message that was passed on. */
  #position: StreamPosition | undefined;
  /** The oldest offset that listeners have, or that was loaded. */
  #oldest = Infinity;
  /** Messages of the position's epoch that arrived too early, by offset. */
  readonly #early = new Map<number, MessageFrame>();
  #isReading = false;
  /** Whether the extent has not arrived on this connection. */
  #isWaiting = true;
  #connection = 0;
  #stopTimer: () => void = () => {};

  constructor(name: string, context: StreamReaderContext, start: StreamStart = {}) {
    this.#name = name;
    this.#context = context;
    this.#start = start;
    this.#position = start.from;
  }

  get position(): StreamPosition | undefined {
    return this.#position;
  }

  /** The offset before which older messages can be loaded. */
  get oldest(): number {
    return Math.min(this.#oldest, (this.#position?.offset ?? 0) + 1);
  }

  set oldest(offset: number) {
    this.#oldest = offset;
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
    if (this.#position === undefined) {
      const { newest = 0 } = this.#start;
      this.#position = { epoch, offset: Math.max(first - 1, offset - newest, 0) };
      this.#isWaiting = false;
      return this.#position.offset === offset ? this.#drain() : void this.#readMissing(false);
    }
    const isResuming = this.#isWaiting;
    this.#isWaiting = false;
    if (this.#isReading) return;
    const position = this.#position;
    // While connected, messages may have overtaken the extent; on entry, the server has lost them.
    const isCurrent = position.epoch === epoch &&
      (position.offset === offset || (!isResuming && position.offset > offset));
    if (!isCurrent) return void this.#readMissing(isResuming);
    if (isResuming) this.#tell(true, 0);
    this.#drain();
  }

  /** Takes a message that has arrived. */
  receive(frame: MessageFrame & StreamMark): void {
    const { epoch, offset } = frame;
    const position = this.#position;
    if (this.#isWaiting || this.#isReading || position === undefined) return this.#keep(frame);
    if (epoch !== position.epoch) {
      this.#keep(frame);
      return void this.#readMissing(false);
    }
    if (offset <= position.offset) return;
    this.#keep(frame);
    this.#drain();
  }

  #keep(frame: MessageFrame & StreamMark): void {
    if (this.#early.size < MAX_EARLY) this.#early.set(frame.offset, frame);
  }

  /** Passes on the messages that follow the position. Asks for missing ones after a moment. */
  #drain(): void {
    const { epoch } = this.#position!;
    while (true) {
      const offset = this.#position!.offset + 1;
      const frame = this.#early.get(offset);
      if (frame === undefined) break;
      this.#early.delete(offset);
      if (frame.epoch !== epoch) return void this.#readMissing(false);
      this.#deliver(frame, { epoch, offset });
    }
    for (const offset of this.#early.keys()) {
      if (offset <= this.#position!.offset) this.#early.delete(offset);
    }
    this.#stopTimer();
    if (this.#early.size === 0) return;
    this.#stopTimer = this.#context.environment.after(HOLE_MS, () => void this.#readMissing(false));
  }

  /** Asks for the messages after the position until none is missing. Never rejects. */
  async #readMissing(isResuming: boolean): Promise<void> {
    if (this.#isReading || this.#isWaiting) return;
    this.#isReading = true;
    this.#stopTimer();
    const connection = this.#connection;
    const outcome = { recovered: true, missed: 0 };
    try {
      while (true) {
        const { epoch, offset: after } = this.#position!;
        const request = { stream: this.#name, epoch, after, limit: PAGE };
        const history = await this.#context.history(request);
        if (connection !== this.#connection) return;
        outcome.recovered &&= history.recovered;
        outcome.missed += this.#take(history);
        if (!history.more) break;
      }
    } catch (error) {
      if (connection === this.#connection) this.#fail(error, isResuming);
      return;
    }
    this.#isReading = false;
    if (isResuming || !outcome.recovered) this.#tell(outcome.recovered, outcome.missed);
    this.#drain();
  }

  /** Passes on the messages of a reply. Returns their number. */
  #take({ epoch, first, offset, recovered, messages }: HistoryData): number {
    if (!recovered) {
      const next = messages[0]?.offset ?? Math.max(first, offset + 1);
      this.#position = { epoch, offset: next - 1 };
      this.#oldest = next;
    } else this.#position = { epoch, offset: this.#position!.offset };
    const missing = messages.filter((message) => message.offset > this.#position!.offset);
    for (const message of missing) {
      const mark = { stream: this.#name, epoch, offset: message.offset };
      this.#deliver({ ...message, ...mark, data: message.data }, mark);
    }
    return missing.length;
  }

  #fail(error: unknown, isResuming: boolean): void {
    this.#isReading = false;
    const { environment } = this.#context;
    const { code } = error as { readonly code?: unknown };
    if (code === "FORBIDDEN" || code === "CLOSED") return;
    if (code !== "DISCONNECTED" && code !== "TIMEOUT" && code !== "UNAVAILABLE") {
      environment.report(error);
    }
    const delayMs = RETRY_MS * (1 + environment.random());
    this.#stopTimer = environment.after(delayMs, () => void this.#readMissing(isResuming));
  }

  #deliver(frame: MessageFrame, { epoch, offset }: StreamPosition): void {
    this.#position = { epoch, offset };
    this.#oldest = Math.min(this.#oldest, offset);
    this.#context.deliver(frame);
  }

  #tell(recovered: boolean, missed: number): void {
    this.#context.recovered({ stream: this.#name, recovered, missed });
  }
}
