import type { LayerMessage } from "../scope.ts";
import type { Mailbox } from "./channel_layer.ts";
import { ownerOf } from "./channel_names.ts";
import type { LayerCounters } from "./layer_stats.ts";
import { SmallSet } from "../small_set.ts";
import type { PlainMessage } from "./plain_message.ts";

/** What became of a message at a channel of this process. */
export type Delivery = "delivered" | "queued" | "full" | "limit";

/** What all channels of a process share. */
export interface LocalChannelContext {
  readonly expiryMs: number;
  readonly maxWaitingBytes: number;
  /** About how many characters wait in all of them. */
  waitingSize: number;
  readonly counters: LayerCounters;
}

interface Waiting extends PlainMessage {
  readonly expiresAt: number;
}

interface Reader {
  resolve(message: LayerMessage): void;
  reject(error: unknown): void;
}

/** One channel of this process: what waits in it, who reads it, and which groups it is in. */
export class LocalChannel {
  readonly name: string;
  /** Whether it outlives its reader: it belongs to no process. */
  readonly isDurable: boolean;
  readonly groups: SmallSet<string> = new SmallSet();
  readonly #capacity: number;
  readonly #context: LocalChannelContext;
  #waiting: Waiting[] = [];
  #readers: Reader[] = [];
  #mailbox: Mailbox | undefined;

  constructor(name: string, capacity: number, context: LocalChannelContext) {
    this.name = name;
    this.isDurable = ownerOf(name) === undefined;
    this.#capacity = capacity;
    this.#context = context;
  }

  get mailbox(): Mailbox | undefined {
    return this.#mailbox;
  }

  /** Whether it is in its groups as long as it is there: a connection has it. */
  get stays(): boolean {
    return this.#mailbox !== undefined && !this.isDurable;
  }

  /** Whether nothing would be lost if the channel were forgotten. */
  get isIdle(): boolean {
    return this.#mailbox === undefined && this.groups.size === 0 &&
      this.#waiting.length === 0 && this.#readers.length === 0;
  }

  deliver(plain: PlainMessage, now: number): Delivery {
    const { counters } = this.#context;
    const delivery = this.#take(plain, now);
    if (delivery === "delivered" || delivery === "queued") counters[delivery]++;
    else counters.dropped[delivery]++;
    return delivery;
  }

  receive(now: number, signal: AbortSignal | undefined): Promise<LayerMessage> {
    if (this.#mailbox !== undefined) {
      throw new TypeError(`Cannot receive from "${this.name}": it has a mailbox`);
    }
    signal?.throwIfAborted();
    this.expire(now);
    const next = this.#waiting.shift();
    if (next === undefined) return this.#wait(signal);
    this.#context.waitingSize -= next.size;
    return Promise.resolve(next.message);
  }

  attach(mailbox: Mailbox, now: number): void {
    if (this.#mailbox !== undefined || this.#readers.length > 0) {
      throw new TypeError(`Cannot attach a mailbox to "${this.name}": it has a reader`);
    }
    this.expire(now);
    this.#mailbox = mailbox;
    for (const { message } of this.#removeWaiting(this.#waiting.length)) {
      if (!offer(mailbox, message)) this.#context.counters.dropped.full++;
    }
  }

  /** Returns whether `mailbox` was the one attached. */
  detach(mailbox: Mailbox): boolean {
    if (this.#mailbox !== mailbox) return false;
    this.#mailbox = undefined;
    return true;
  }

  /** Forgets messages that have waited too long: they wait in the order in which they expire. */
  expire(now: number): void {
    const first = this.#waiting.findIndex((entry) => entry.expiresAt > now);
    if (first === 0) return;
    const gone = this.#removeWaiting(first < 0 ? this.#waiting.length : first);
    this.#context.counters.dropped.expired += gone.length;
  }

  flush(): void {
    this.#removeWaiting(this.#waiting.length);
    this.groups.clear();
  }

  close(error: Error): void {
    this.flush();
    this.#mailbox = undefined;
    for (const reader of this.#readers.splice(0)) reader.reject(error);
  }

  #take(plain: PlainMessage, now: number): Delivery {
    const context = this.#context;
    if (this.#mailbox !== undefined) {
      return offer(this.#mailbox, plain.message) ? "delivered" : "full";
    }
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve(plain.message);
      return "delivered";
    }
    if (this.#waiting.length >= this.#capacity) this.expire(now);
    if (this.#waiting.length >= this.#capacity) return "full";
    if (context.waitingSize + plain.size > context.maxWaitingBytes) return "limit";
    context.waitingSize += plain.size;
    this.#waiting.push({ ...plain, expiresAt: now + context.expiryMs });
    return "queued";
  }

  #removeWaiting(count: number): Waiting[] {
    const removed = this.#waiting.splice(0, count);
    for (const { size } of removed) this.#context.waitingSize -= size;
    return removed;
  }

  #wait(signal: AbortSignal | undefined): Promise<LayerMessage> {
    return new Promise((resolve, reject) => {
      const leave = () => signal?.removeEventListener("abort", abort);
      const reader: Reader = {
        resolve: (message) => (leave(), resolve(message)),
        reject: (error) => (leave(), reject(error)),
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

/** A mailbox that throws has not taken the message; those of other members get it all the same. */
function offer(mailbox: Mailbox, message: LayerMessage): boolean {
  try {
    return mailbox.deliver(message);
  } catch {
    return false;
  }
}
