import type { LayerMessage } from "../scope.ts";
import type { Mailbox } from "./channel_layer.ts";

interface Waiting {
  readonly message: LayerMessage;
  readonly expiresAt: number;
}

interface Reader {
  resolve(message: LayerMessage): void;
  reject(error: unknown): void;
}

/** One channel of a memory layer: what waits in it, who reads it, and which groups it is in. */
export class MemoryChannel {
  readonly name: string;
  readonly groups: Set<string> = new Set();
  readonly #capacity: number;
  readonly #expiryMs: number;
  #waiting: Waiting[] = [];
  #readers: Reader[] = [];
  #mailbox: Mailbox | undefined;

  constructor(name: string, capacity: number, expiryMs: number) {
    this.name = name;
    this.#capacity = capacity;
    this.#expiryMs = expiryMs;
  }

  get isAttached(): boolean {
    return this.#mailbox !== undefined;
  }

  /** Whether nothing would be lost if the channel were forgotten. */
  get isIdle(): boolean {
    return this.#mailbox === undefined && this.groups.size === 0 &&
      this.#waiting.length === 0 && this.#readers.length === 0;
  }

  /** Takes a message, or returns false: it is full. */
  deliver(message: LayerMessage, now: number): boolean {
    if (this.#mailbox !== undefined) return this.#mailbox.deliver(message);
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve(message);
      return true;
    }
    if (this.#waiting.length >= this.#capacity) this.#expire(now);
    if (this.#waiting.length >= this.#capacity) return false;
    this.#waiting.push({ message, expiresAt: now + this.#expiryMs });
    return true;
  }

  receive(now: number, signal: AbortSignal | undefined): Promise<LayerMessage> {
    if (this.#mailbox !== undefined) {
      throw new TypeError(`Cannot receive from "${this.name}": it has a mailbox`);
    }
    signal?.throwIfAborted();
    this.#expire(now);
    const next = this.#waiting.shift();
    if (next !== undefined) return Promise.resolve(next.message);
    return this.#wait(signal);
  }

  attach(mailbox: Mailbox, now: number): void {
    if (this.#mailbox !== undefined || this.#readers.length > 0) {
      throw new TypeError(`Cannot attach to "${this.name}": it has a reader already`);
    }
    this.#mailbox = mailbox;
    this.#expire(now);
    for (const { message } of this.#waiting.splice(0)) mailbox.deliver(message);
  }

  /** Returns whether `mailbox` was the one attached. */
  detach(mailbox: Mailbox): boolean {
    if (this.#mailbox !== mailbox) return false;
    this.#mailbox = undefined;
    return true;
  }

  flush(): void {
    this.#waiting = [];
    this.groups.clear();
  }

  close(error: Error): void {
    this.flush();
    this.#mailbox = undefined;
    for (const reader of this.#readers.splice(0)) reader.reject(error);
  }

  /** Messages wait in the order in which they expire, so that only the first ones are looked at. */
  #expire(now: number): void {
    const first = this.#waiting.findIndex((entry) => entry.expiresAt > now);
    if (first !== 0) this.#waiting.splice(0, first < 0 ? this.#waiting.length : first);
  }

  #wait(signal: AbortSignal | undefined): Promise<LayerMessage> {
    return new Promise((resolve, reject) => {
      const reader: Reader = {
        resolve: (message) => {
          signal?.removeEventListener("abort", abort);
          resolve(message);
        },
        reject,
      };
      const abort = () => {
        this.#readers = this.#readers.filter((other) => other !== reader);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#readers.push(reader);
    });
  }
}
