import { freezeJson } from "../../layers/input.ts";
import { type CheckedMessage, cutToBytes } from "../stored_message.ts";
import { newEpoch, rangeOf, type StreamRead, type StreamSettings } from "../stream_options.ts";
import type { StreamMessage, StreamPage, StreamPosition, StreamState } from "../stream_store.ts";

interface Entry {
  readonly message: StreamMessage;
  readonly bytes: number;
}

/** Number of removed entries from which the array is shortened. */
const SHORTEN_FROM = 64;

/** One stream in memory. */
export class MemoryStream {
  readonly #settings: StreamSettings;
  readonly #epoch = newEpoch();
  /** The messages from `#start` on; those before it were removed. */
  #entries: (Entry | undefined)[] = [];
  #start = 0;
  #offset = 0;
  #bytes = 0;

  constructor(settings: StreamSettings) {
    this.#settings = settings;
  }

  /** The size of all messages. */
  get bytes(): number {
    return this.#bytes;
  }

  get state(): StreamState {
    this.#expire();
    return { epoch: this.#epoch, first: this.#first, offset: this.#offset };
  }

  append({ message, bytes }: CheckedMessage): StreamPosition {
    const offset = ++this.#offset;
    const at = this.#settings.clock.now();
    this.#entries.push({ message: freezeJson({ ...message, offset, at }), bytes });
    this.#bytes += bytes;
    this.#expire();
    return { epoch: this.#epoch, offset };
  }

  read(read: StreamRead): StreamPage {
    const { state } = this;
    const { from, to } = rangeOf(read, state);
    const base = this.#start - state.first;
    const found = from > to ? [] : this.#entries.slice(base + from, base + to + 1) as Entry[];
    const isForward = read.after !== undefined;
    const page = cutToBytes(found, read.maxBytes, isForward ? "start" : "end");
    const messages = page.map(({ message }) => message);
    const [oldest, newest] = [messages[0]?.offset ?? from, messages.at(-1)?.offset ?? to];
    return { ...state, messages, more: isForward ? newest < state.offset : oldest > state.first };
  }

  trim(before: number): void {
    while (this.#first < before && this.#first <= this.#offset) this.#removeFirst();
  }

  get #first(): number {
    return this.#offset - (this.#entries.length - this.#start) + 1;
  }

  /** Removes messages beyond the limits. The newest one is kept, unless it is too old. */
  #expire(): void {
    const { clock, maxAgeMs, maxMessages, maxBytes } = this.#settings;
    const oldest = clock.now() - maxAgeMs;
    while (this.#first <= this.#offset) {
      const count = this.#entries.length - this.#start;
      const isOld = this.#entries[this.#start]!.message.at <= oldest;
      if (!isOld && count <= maxMessages && (this.#bytes <= maxBytes || count === 1)) return;
      this.#removeFirst();
    }
  }

  #removeFirst(): void {
    this.#bytes -= this.#entries[this.#start]!.bytes;
    this.#entries[this.#start++] = undefined;
    if (this.#start < SHORTEN_FROM || this.#start * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#start);
    this.#start = 0;
  }
}
