import { Buffer } from "node:buffer";
import type { LayerMessage } from "../../core/consumer.ts";

/** A task that the consumer queues for itself. */
export type Task = () => void | Promise<void>;

/** A client message, a layer message or a task. */
export type InboxItem = string | Uint8Array | LayerMessage | Task;

/** The limits of an inbox. */
export interface InboxLimits {
  /** Maximum number of layer messages. */
  readonly mailboxCapacity: number;
  /** Maximum size of the client's messages, in bytes. */
  readonly inboxBytes: number;
}

/** The bounded queue of a busy consumer, in order. */
export class Inbox {
  readonly #limits: InboxLimits;
  #items: InboxItem[] = [];
  #head = 0;
  #bytes = 0;
  #events = 0;

  constructor(limits: InboxLimits) {
    this.#limits = limits;
  }

  /** Adds a client message. Returns false if that exceeds the byte limit. */
  addMessage(data: string | Uint8Array): boolean {
    this.#bytes += sizeOf(data);
    if (this.#bytes > this.#limits.inboxBytes) return false;
    this.#items.push(data);
    return true;
  }

  /** Adds a layer message. Returns false if the mailbox is full. */
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

  /** Removes and returns the oldest item. */
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

/** Returns whether an item is a client message. */
export function isData(item: InboxItem): item is string | Uint8Array {
  return typeof item === "string" || item instanceof Uint8Array;
}

/** Maximum UTF-8 bytes per UTF-16 code unit. */
export const MAX_BYTES_PER_UNIT = 3;

/** Returns the size of a message on the wire, in bytes. */
export function sizeOf(data: string | Uint8Array): number {
  return typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
}
