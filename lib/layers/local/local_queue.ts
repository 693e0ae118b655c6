import type { Clock } from "../../core/clock.ts";
import type { LayerMessage } from "../../core/consumer.ts";
import { retryPauseMs } from "../../time/retry_pause.ts";
import type { Lease, Mailbox } from "../channel_layer.ts";
import type { LayerCounters } from "../layer_stats.ts";
import { LocalLease } from "./local_lease.ts";
import type { PlainMessage } from "../input.ts";

/** A message that waits in a local channel. */
export interface WaitingMessage extends PlainMessage {
  /** The message's position in the channel. */
  readonly number: number;
  readonly expiresAt: number;
  /** How often the message was leased. */
  readonly attempts: number;
}

/** State and settings that the queues of all local channels share. */
export interface LocalQueueContext {
  readonly clock: Clock;
  readonly expiryMs: number;
  readonly leaseMs: number;
  readonly maxWaitingBytes: number;
  /** Approximate number of characters that wait in all channels. */
  waitingSize: number;
  readonly counters: LayerCounters;
  capacityOf(channel: string): number;
  /** Called when a lease of a channel has ended. */
  settled(channel: LocalQueueOwner): void;
}

/** The first pause before a refused message is offered again, in milliseconds. */
const OFFER_MS = 100;

/** The channel of a queue. */
export interface LocalQueueOwner {
  readonly name: string;
  /** Whether it keeps what its mailbox refuses. */
  readonly isDurable: boolean;
  readonly mailbox: Mailbox | undefined;
}

/** How a reader takes a message: permanently, or until its lease is settled. */
interface Reading<T> {
  readonly outcome: "delivered" | "queued";
  take(entry: WaitingMessage): T;
}

type Reader = Reading<void> & { reject(error: unknown): void };

/**
 * What waits in a local channel: messages in the order of their numbers, or readers in the order of
 * their calls, and the messages that are leased.
 */
export class LocalQueue {
  readonly #owner: LocalQueueOwner;
  readonly #context: LocalQueueContext;
  readonly #capacity: number;
  readonly #leases = new Map<LocalLease, WaitingMessage>();
  #messages: WaitingMessage[] = [];
  #readers: Reader[] = [];
  #number = 0;
  /** Whether the mailbox refused its last message. */
  #isFull = false;
  /** How often in a row the mailbox refused a message. */
  #refusals = 0;
  #cancelOffer: (() => void) | undefined;

  constructor(owner: LocalQueueOwner, context: LocalQueueContext) {
    this.#owner = owner;
    this.#context = context;
    this.#capacity = context.capacityOf(owner.name);
  }

  get hasReaders(): boolean {
    return this.#readers.length > 0;
  }

  /** Whether nothing waits and nothing is leased. */
  get isIdle(): boolean {
    return this.#messages.length === 0 && !this.hasReaders && this.#leases.size === 0;
  }

  /** Adds a message that the mailbox does not take, if there is room for it. */
  put(plain: PlainMessage): "delivered" | "queued" | "full" | "limit" {
    const context = this.#context;
    if (!this.#isFull && this.#offer(plain.message)) return "delivered";
    if (!this.hasReaders) {
      if (this.#messages.length >= this.#capacity) this.expire();
      if (this.#messages.length >= this.#capacity) return "full";
      if (context.waitingSize + plain.size > context.maxWaitingBytes) return "limit";
    }
    context.waitingSize += plain.size;
    const expiresAt = context.clock.elapsed() + context.expiryMs;
    return this.#add({ ...plain, number: this.#number++, expiresAt, attempts: 0 });
  }

  /** Offers all messages to the mailbox. If it throws at one, that stays and the next is offered. */
  offerAll(): void {
    this.expire();
    this.#isFull = false;
    this.#refusals++;
    for (const entry of this.#messages.splice(0)) {
      if (!this.#isFull && this.#offer(entry.message)) this.#context.counters.delivered++;
      else if (!this.#owner.isDurable) this.#context.counters.dropped.full++;
      else {
        this.#insert(entry);
        continue;
      }
      this.#forget([entry]);
    }
    if (this.#messages.length > 0) this.#offerLater();
    else this.#refusals = 0;
  }

  /** Offers nothing more: the mailbox was detached. */
  stopOffering(): void {
    this.#cancelOffer?.();
    this.#cancelOffer = undefined;
  }

  receive(signal: AbortSignal | undefined): Promise<LayerMessage> {
    const take = (entry: WaitingMessage) => (this.#forget([entry]), entry.message);
    return this.#next(signal, { outcome: "delivered", take });
  }

  lease(signal: AbortSignal | undefined): Promise<Lease> {
    return this.#next(signal, { outcome: "queued", take: (entry) => this.#lease(entry) });
  }

  #forget(entries: Iterable<WaitingMessage>): void {
    for (const { size } of entries) this.#context.waitingSize -= size;
  }

  /** Drops expired messages. */
  expire(): void {
    const now = this.#context.clock.elapsed();
    const isGone = ({ expiresAt }: WaitingMessage) => expiresAt <= now;
    const gone = this.#messages.filter(isGone);
    if (gone.length === 0) return;
    this.#messages = this.#messages.filter((message) => !isGone(message));
    this.#forget(gone);
    this.#context.counters.dropped.expired += gone.length;
  }

  /** Drops all messages and leases. */
  flush(): void {
    this.#forget(this.#messages.splice(0));
    this.#forget(this.#leases.values());
    for (const lease of this.#leases.keys()) lease.drop();
    this.#leases.clear();
  }

  /** Drops everything, and rejects all readers. */
  close(error: Error): void {
    this.flush();
    this.stopOffering();
    for (const reader of this.#readers.splice(0)) reader.reject(error);
  }

  /** Hands a message to the first reader, or puts it in its place. */
  #add(entry: WaitingMessage): "delivered" | "queued" {
    const reader = this.#readers.shift();
    reader?.take(entry);
    if (reader !== undefined) return reader.outcome;
    this.#insert(entry);
    this.#offerLater();
    return "queued";
  }

  /** Puts a message in its place. */
  #insert(entry: WaitingMessage): void {
    const after = this.#messages.findLastIndex(({ number }) => number < entry.number);
    this.#messages.splice(after + 1, 0, entry);
  }

  /** Returns whether there is a mailbox that took the message. Throwing refuses it. */
  #offer(message: LayerMessage): boolean {
    const { mailbox, isDurable } = this.#owner;
    if (mailbox === undefined) return false;
    try {
      const isTaken = mailbox.deliver(message);
      this.#isFull = !isTaken && isDurable;
      return isTaken;
    } catch {
      return false;
    }
  }

  #offerLater(): void {
    if (this.#owner.mailbox === undefined) return;
    const { clock, leaseMs } = this.#context;
    const waitMs = retryPauseMs(this.#refusals, { minMs: OFFER_MS, maxMs: leaseMs / 3 });
    this.#cancelOffer ??= clock.after(waitMs, () => {
      this.#cancelOffer = undefined;
      this.offerAll();
    });
  }

  #lease(entry: WaitingMessage): Lease {
    const { clock, leaseMs, expiryMs, counters } = this.#context;
    const lease: LocalLease = new LocalLease(entry.message, entry.attempts + 1, {
      clock,
      leaseMs,
      acked: () => {
        this.#leases.delete(lease);
        this.#forget([entry]);
        counters.delivered++;
        this.#context.settled(this.#owner);
      },
      freed: (attempts) => {
        this.#leases.delete(lease);
        const freed = { ...entry, attempts, expiresAt: clock.elapsed() + expiryMs };
        if (this.#add(freed) === "delivered") counters.delivered++;
        this.#context.settled(this.#owner);
      },
    });
    this.#leases.set(lease, entry);
    return lease;
  }

  /** Takes the next message, now or when one arrives. */
  #next<T>(signal: AbortSignal | undefined, reading: Reading<T>): Promise<T> {
    signal?.throwIfAborted();
    this.expire();
    const next = this.#messages.shift();
    if (next === undefined) return this.#wait(reading, signal);
    if (reading.outcome === "delivered") this.#context.counters.delivered++;
    return Promise.resolve(reading.take(next));
  }

  /** Queues a reader. Rejects and leaves the queue when `signal` aborts. */
  #wait<T>({ outcome, take }: Reading<T>, signal: AbortSignal | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const leave = () => signal?.removeEventListener("abort", abort);
      const reader: Reader = {
        outcome,
        take: (entry) => (leave(), resolve(take(entry))),
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
