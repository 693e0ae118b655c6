import type { LayerMessage } from "../../core/consumer.ts";
import { SmallSet } from "../../core/small_set.ts";
import { retryPauseMs } from "../../time/retry_pause.ts";
import type { Lease, Mailbox } from "../channel_layer.ts";
import { ownerOf } from "../channel_names.ts";
import { LocalQueue, type LocalQueueContext, type LocalQueueOwner } from "./local_queue.ts";
import type { PlainMessage } from "../input.ts";

/** The outcome of a message to a local channel. */
export type Delivery = "delivered" | "queued" | "full" | "limit";

/** State and settings that all local channels share. */
export interface LocalChannelContext extends LocalQueueContext {
  /** Called when a lease of a channel has ended. */
  settled(channel: LocalChannel): void;
}

/** The first pause before a durable channel offers a refused message again, in milliseconds. */
const OFFER_MS = 100;

/** One local channel: its mailbox, its groups, and what waits in it. */
export class LocalChannel implements LocalQueueOwner {
  readonly name: string;
  /** Whether the channel outlives its reader, because it belongs to no process. */
  readonly isDurable: boolean;
  readonly groups: SmallSet<string> = new SmallSet();
  readonly #context: LocalChannelContext;
  /** Created on demand: a channel that always has a mailbox needs none. */
  #queue: LocalQueue | undefined;
  #mailbox: Mailbox | undefined;
  /** Whether the mailbox of a durable channel refused its last message. */
  #isFull = false;
  /** How often in a row the mailbox refused a message. */
  #refusals = 0;
  #cancelOffer: (() => void) | undefined;

  constructor(name: string, context: LocalChannelContext) {
    this.name = name;
    this.isDurable = ownerOf(name) === undefined;
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
    const isEmpty = this.#queue?.isIdle ?? true;
    return this.#mailbox === undefined && this.groups.size === 0 && isEmpty;
  }

  deliver(plain: PlainMessage): Delivery {
    const { counters } = this.#context;
    const delivery = this.#take(plain);
    if (delivery === "delivered" || delivery === "queued") counters[delivery]++;
    else counters.dropped[delivery]++;
    return delivery;
  }

  receive(signal: AbortSignal | undefined): Promise<LayerMessage> {
    this.#assertNoMailbox();
    return this.#waiting.receive(signal);
  }

  lease(signal: AbortSignal | undefined): Promise<Lease> {
    this.#assertNoMailbox();
    return this.#waiting.lease(signal);
  }

  attach(mailbox: Mailbox): void {
    if (this.#mailbox !== undefined || this.#queue?.hasReaders) {
      throw new TypeError(`Cannot attach a mailbox to "${this.name}": it already has a reader`);
    }
    this.#mailbox = mailbox;
    this.#queue?.expire();
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
  expire(): void {
    this.#queue?.expire();
  }

  flush(): void {
    this.#queue?.flush();
    this.groups.clear();
  }

  close(error: Error): void {
    this.flush();
    this.#mailbox = undefined;
    this.#cancelOffer?.();
    this.#queue?.reject(error);
  }

  settled(): void {
    this.#context.settled(this);
  }

  /** Offers waiting messages to the mailbox later. */
  queued(): void {
    if (this.#mailbox === undefined) return;
    const { clock, leaseMs } = this.#context;
    const waitMs = retryPauseMs(this.#refusals, { minMs: OFFER_MS, maxMs: leaseMs / 3 });
    this.#cancelOffer ??= clock.after(waitMs, () => {
      this.#cancelOffer = undefined;
      this.expire();
      this.#offerWaiting();
    });
  }

  get #waiting(): LocalQueue {
    return this.#queue ??= new LocalQueue(this, this.#context);
  }

  #take(plain: PlainMessage): Delivery {
    const mailbox = this.#mailbox;
    if (mailbox !== undefined) {
      // A durable channel keeps refused messages, in order.
      if (!this.#isFull && this.#offer(mailbox, plain.message)) return "delivered";
      if (!this.isDurable) return "full";
    }
    return this.#waiting.put(plain);
  }

  /** Offers all waiting messages. If the mailbox throws at one, it stays and the next one is offered. */
  #offerWaiting(): void {
    this.#isFull = false;
    const queue = this.#queue;
    if (queue === undefined) return;
    this.#refusals++;
    for (const entry of queue.clear()) {
      const mailbox = this.#isFull ? undefined : this.#mailbox;
      if (mailbox !== undefined && this.#offer(mailbox, entry.message)) {
        this.#context.counters.delivered++;
        queue.forget([entry]);
      } else if (this.isDurable) queue.putBack(entry);
      else {
        this.#context.counters.dropped.full++;
        queue.forget([entry]);
      }
    }
    if (queue.count > 0) this.queued();
    else this.#refusals = 0;
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

  #assertNoMailbox(): void {
    if (this.#mailbox === undefined) return;
    throw new TypeError(`Cannot receive from "${this.name}": it has a mailbox`);
  }
}
