import type {
  HistoryData,
  HistoryRequest,
  MessageFrame,
  StreamData,
  StreamMark,
} from "../protocol/mod.ts";
import type { ClientEnvironment } from "./environment.ts";
import { Listeners } from "./_listeners.ts";
import { StreamReader } from "./_stream_reader.ts";
import type {
  LoadBeforeOptions,
  OlderMessages,
  Recovery,
  StreamPosition,
  StreamStart,
} from "./stream_options.ts";

/** What {@linkcode Streams} uses. */
export interface StreamsContext {
  readonly environment: ClientEnvironment;
  /** Where each stream begins. */
  readonly starts: Readonly<Record<string, StreamStart>>;
  history(request: HistoryRequest): Promise<HistoryData>;
  deliver(frame: MessageFrame): void;
  /** Whether listeners may be called. */
  isActive(): boolean;
}

/** The streams of one socket. */
export class Streams {
  /** Listeners for how reading went on after an interruption. */
  readonly recoveries: Listeners<[Recovery]>;
  readonly #context: StreamsContext;
  readonly #readers = new Map<string, StreamReader>();

  constructor(context: StreamsContext) {
    this.#context = context;
    this.recoveries = new Listeners(context.environment.report);
  }

  /** Takes a frame of a stream. Returns false for other frames. */
  receive(frame: MessageFrame): boolean {
    const isExtent = frame.type === "stream";
    const { stream } = (isExtent ? frame.data : frame) as Partial<StreamMark>;
    if (stream === undefined) return false;
    const reader = this.#readerOf(stream);
    if (isExtent) reader.extend(frame.data as StreamData);
    else reader.receive(frame as MessageFrame & StreamMark);
    return true;
  }

  /** Called when the connection is lost. */
  disconnect(): void {
    for (const reader of this.#readers.values()) reader.disconnect();
  }

  position(stream: string): StreamPosition | undefined {
    return this.#readerOf(stream).position;
  }

  async loadBefore(stream: string, options: LoadBeforeOptions = {}): Promise<OlderMessages> {
    const reader = this.#readerOf(stream);
    const { before = reader.oldest, limit } = options;
    const epoch = reader.position?.epoch;
    const history = await this.#context.history({ stream, epoch, before, limit });
    if (!history.recovered) return { messages: [], more: false };
    const messages = history.messages.map((message) => ({
      ...message,
      data: message.data,
      stream,
      epoch: history.epoch,
    }));
    reader.oldest = Math.min(before, messages[0]?.offset ?? before);
    return { messages, more: history.more };
  }

  #readerOf(stream: string): StreamReader {
    let reader = this.#readers.get(stream);
    if (reader === undefined) {
      const { environment, history, deliver, starts, isActive } = this.#context;
      const recovered = (recovery: Recovery) => {
        this.recoveries.emit(isActive, recovery);
      };
      const context = { environment, history, deliver, recovered };
      reader = new StreamReader(stream, context, starts[stream]);
      this.#readers.set(stream, reader);
    }
    return reader;
  }
}
