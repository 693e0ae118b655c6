import type { Clock } from "../../core/clock.ts";
import type { LayerMessage } from "../../core/consumer.ts";
import { SmallSet } from "../../core/small_set.ts";
import { retryPauseMs } from "../../time/retry_pause.ts";
import type { Lease, Mailbox } from "../channel_layer.ts";
import { ownerOf } from "../channel_names.ts";
import type { LayerCounters } from "../layer_stats.ts";
import { LocalLease } from "./local_lease.ts";
import { LocalReaders, type Reading } from "./local_readers.ts";
import { type WaitingMessage, WaitingMessages } from "./local_waiting.ts";
import type { PlainMessage } from "./plain_message.ts";

/** The outcome of a message to a local channel. */
export type Delivery = "delivered" | "queued" | "full" | "limit";

/** State and settings that all local channels share. */
export interface LocalChannelContext {
  readonly clock: Clock;
  readonly expiryMs: number;
  readonly leaseMs: number;
  readonly maxWaitingBytes: number;
  /** Approximate number of characters that wait in all channels. */
  waitingSize: number;
  readonly counters: LayerCounters;
  /** Called when a lease of a channel has ended. */
  settled(channel: LocalChannel): void;
}

/** The first pause before a durable channel offers a refused message again, in milliseconds. */
const OFFER_MS = 100;

/** One local channel: its messages, its readers and its groups. */
export class LocalChannel {
  readonly name: string;
  /** Whether the channel outlives its reader, because it belongs to no process. */
  readonly isDurable: boolean;
  readonly groups: SmallSet<string> = new SmallSet();
  readonly #capacity: number;
  readonly #context: LocalChannelContext;
  readonly #waiting = new WaitingMessages();
  readonly #leases = new Map<LocalLease, WaitingMessage>();
  readonly #readers = new LocalReaders();
  #mailbox: Mailbox | undefined;
  #number = 0;
  /** Whether the mailbox of a durable channel refused its last message. */
  #isFull = false;
  /** How often in a row the mailbox refused a message. */
  #refusals = 0;
  #cancelOffer: (() => void) | undefined;

  constructor(name: string, capacity: number, context: LocalChannelContext) {
    this.name = name;
    this.isDurable = ownerOf(name) === undefined;
    this.#capacity = capacity;
    this.#context = context;
  }

  get mailbox(): Mailbox | undefined {
    return this.#mailbox;
  }

  /** Whether its memberships never expire: a connection owns the channel. */
  get stays(): boolean {
    return this.#mailbox !== undefined && !this.isDurable;
  }

  /** Whether the channel can be deleted without losing anything. */
  get isIdle(): boolean {
    return this.#mailbox === undefined && this.groups.size === 0 &&
      this.#waiting.count === 0 && this.#readers.count === 0 && this.#leases.size === 0;
  }

  deliver(plain: PlainMessage): Delivery {
    const { counters } = this.#context;
    const delivery = this.#take(plain);
    if (delivery === "delivered" || delivery === "queued") counters[delivery]++;
    else counters.dropped[delivery]++;
    return delivery;
  }

  receive(signal: AbortSignal | undefined): Promise<LayerMessage> {
    const take = (entry: WaitingMessage) => {
      this.#context.waitingSize -= entry.size;
      return entry.message;
    };
    return this.#next(signal, { outcome: "delivered", take });
  }

  lease(signal: AbortSignal | undefined): Promise<Lease> {
    return this.#next(signal, { outcome: "queued", take: (entry) => this.#lease(entry) });
  }

  attach(mailbox: Mailbox): void {
    if (this.#mailbox !== undefined || this.#readers.count > 0) {
      throw new TypeError(`Cannot attach a mailbox to "${this.name}": it already has a reader`);
    }
    this.expire();
    this.#mailbox = mailbox;
    this.#offerWaiting();
  }

  /** Returns whether `mailbox` was the one attached. */
  detach(mailbox: Mailbox): boolean {
    if (this.#mailbox !== mailbox) return false;
    this.#mailbox = undefined;
    this.#cancelOffer?.();
    this.#cancelOffer = undefined;
    return true;
  }

  /** Drops expired messages. */
  expire(now = this.#context.clock.elapsed()): void {
    const gone = this.#waiting.expire(now);
    this.#forget(gone);
    this.#context.counters.dropped.expired += gone.length;
  }

  flush(): void {
    this.#forget(this.#waiting.clear());
    this.#forget(this.#leases.values());
    for (const lease of this.#leases.keys()) lease.drop();
    this.#leases.clear();
    this.groups.clear();
  }

  close(error: Error): void {
    this.flush();
    this.#mailbox = undefined;
    this.#cancelOffer?.();
    this.#readers.reject(error);
  }

  #take(plain: PlainMessage): Delivery {
    const context = this.#context;
    const mailbox = this.#mailbox;
    if (mailbox !== undefined) {
      // A durable channel keeps refused messages, in order.
      const isOffered = !this.#isFull && this.#offer(mailbox, plain.message);
      if (isOffered) return "delivered";
      if (!this.isDurable) return "full";
    }
    if (this.#readers.count === 0) {
      if (this.#waiting.count >= this.#capacity) this.expire();
      if (this.#waiting.count >= this.#capacity) return "full";
      if (context.waitingSize + plain.size > context.maxWaitingBytes) return "limit";
    }
    context.waitingSize += plain.size;
    const expiresAt = context.clock.elapsed() + context.expiryMs;
    return this.#add({ ...plain, number: this.#number++, expiresAt, attempts: 0 });
  }

  /** Hands the message to the first reader, or puts it in its place in the channel. */
  #add(entry: WaitingMessage): "delivered" | "queued" {
    const outcome = this.#readers.hand(entry);
    if (outcome !== undefined) return outcome;
    this.#waiting.add(entry);
    if (this.#mailbox !== undefined) this.#offerLater();
    return "queued";
  }

  #lease(entry: WaitingMessage): Lease {
    const { clock, leaseMs, expiryMs, counters } = this.#context;
    const lease: LocalLease = new LocalLease(entry.message, entry.attempts + 1, {
      clock,
      leaseMs,
      acked: () => {
        this.#leases.delete(lease);
        this.#context.waitingSize -= entry.size;
        counters.delivered++;
        this.#context.settled(this);
      },
      freed: (attempts) => {
        this.#leases.delete(lease);
        const freed = { ...entry, attempts, expiresAt: clock.elapsed() + expiryMs };
        if (this.#add(freed) === "delivered") counters.delivered++;
        this.#context.settled(this);
      },
    });
    this.#leases.set(lease, entry);
    return lease;
  }

  /** Offers all waiting messages. If the mailbox throws at one, it stays and the next one is offered. */
  #offerWaiting(): void {
    this.#isFull = false;
    this.#refusals++;
    for (const entry of this.#waiting.clear()) {
      const mailbox = this.#isFull ? undefined : this.#mailbox;
      if (mailbox !== undefined && this.#offer(mailbox, entry.message)) {
        this.#context.counters.delivered++;
        this.#forget([entry]);
      } else if (this.isDurable) this.#waiting.add(entry);
      else {
        this.#context.counters.dropped.full++;
        this.#forget([entry]);
      }
    }
    if (this.#waiting.count === 0) this.#refusals = 0;
    else if (this.#mailbox !== undefined) this.#offerLater();
  }

  /** Returns whether the mailbox took the message. Throwing refuses it. */
  #offer(mailbox: Mailbox, message: LayerMessage): boolean {
    try {
      const isTaken = mailbox.deliver(message);
      this.#isFull = !isTaken && this.isDurable;
      return isTaken;
    } catch {
      return false;
    }
  }

  #forget(entries: Iterable<WaitingMessage>): void {
    for (const { size } of entries) this.#context.waitingSize -= size;
  }

  #offerLater(): void {
    const { clock, leaseMs } = this.#context;
    const waitMs = retryPauseMs(this.#refusals, { minMs: OFFER_MS, maxMs: leaseMs / 3 });
    this.#cancelOffer ??= clock.after(waitMs, () => {
      this.#cancelOffer = undefined;
      this.expire();
      this.#offerWaiting();
    });
  }

  /** Takes the next message, now or when one arrives. */
  #next<T>(signal: AbortSignal | undefined, reading: Reading<T>): Promise<T> {
    if (this.#mailbox !== undefined) {
      throw new TypeError(`Cannot receive from "${this.name}": it has a mailbox`);
    }
    signal?.throwIfAborted();
    this.expire();
    const next = this.#waiting.shift();
    if (next === undefined) return this.#readers.wait(reading, signal);
    if (reading.outcome === "delivered") this.#context.counters.delivered++;
    return Promise.resolve(reading.take(next));
  }
}
