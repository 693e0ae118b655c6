import { Buffer } from "node:buffer";
import type { LayerMessage } from "../scope.ts";

/** Something that the consumer itself wants done in its turn. */
export type Task = () => void | Promise<void>;

/** A message of the client, or of the channel layer, or a task. */
export type InboxItem = string | Uint8Array | LayerMessage | Task;

/** How much may wait. */
export interface InboxLimits {
  /** Messages of the layer. */
  readonly mailboxCapacity: number;
  /** Bytes of the client's messages. */
  readonly inboxBytes: number;
}

/** What waits for a consumer that is busy, in order and bounded. */
export class Inbox {
  readonly #limits: InboxLimits;
  #items: InboxItem[] = [];
  #head = 0;
  #bytes = 0;
  #events = 0;

  constructor(limits: InboxLimits) {
    this.#limits = limits;
  }

  /** Adds a message of the client, or returns false: too many bytes wait. */
  addMessage(data: string | Uint8Array): boolean {
    this.#bytes += sizeOf(data);
    if (this.#bytes > this.#limits.inboxBytes) return false;
    this.#items.push(data);
    return true;
  }

  /** Adds a message of the layer, or returns false: too many wait. */
  addEvent(message: LayerMessage): boolean {
    if (this.#events >= this.#limits.mailboxCapacity) return false;
    this.#events++;
    this.#items.push(message);
    return true;
  }

  /** Adds a task. */
  addTask(task: Task): void {
    this.#items.push(task);
  }

  /** Takes out what came first. */
  shift(): InboxItem | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head++]!;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    }
    if (isData(item)) this.#bytes -= sizeOf(item);
    else if (typeof item !== "function") this.#events--;
    return item;
  }
}

/** Returns whether an item came from the client. */
export function isData(item: InboxItem): item is string | Uint8Array {
  return typeof item === "string" || item instanceof Uint8Array;
}

/** Most bytes that UTF-8 takes for one UTF-16 code unit. */
export const MAX_BYTES_PER_UNIT = 3;

/** Returns whether a message takes more than `bytes` on the wire. Most need not be counted for that. */
export function isLargerThan(bytes: number, data: string | Uint8Array): boolean {
  return data.length * MAX_BYTES_PER_UNIT > bytes && sizeOf(data) > bytes;
}

/** Returns the size of a message on the wire, in bytes. */
export function sizeOf(data: string | Uint8Array): number {
  return typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
}
