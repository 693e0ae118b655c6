import type { Clock } from "../../core/clock.ts";
import type { LayerMessage } from "../../core/consumer.ts";
import type { Mailbox } from "../channel_layer.ts";
import { DurableLease, type DurableLeaseContext, type QueueItem } from "./durable_lease.ts";
import { DurableMailbox } from "./durable_mailbox.ts";

/** Receives a lease. */
export type TakeLease = (lease: DurableLease) => void;

/** What a {@linkcode DurableQueue} is given. */
export interface DurableQueueContext extends DurableLeaseContext {
  readonly clock: Clock;
  /** How often a reader polls without a notification, in milliseconds. */
  readonly pollMs: number;
  /** Decodes a frame. @throws {Error} The frame is malformed. */
  decode(frame: string): LayerMessage;
}

/** Maximum number of messages leased by one request. */
const MAX_ITEMS = 16;

/**
 * The local readers of one durable channel, first come, first served. Leases one message for each
 * reader; a message whose reader has left is released at once.
 */
export class DurableQueue {
  /** Whether the queue closes soon unless a reader returns. */
  isClosing = false;
  readonly #context: DurableQueueContext;
  #line: TakeLease[] = [];
  #mailbox: DurableMailbox | undefined;
  #token: string = crypto.randomUUID();
  /** Whether the response to the last request was lost: it may have leased messages. */
  #isAgain = false;
  #fetching: Promise<void> | undefined;
  #isNotified = false;
  #cancelPoll: (() => void) | undefined;

  constructor(context: DurableQueueContext) {
    this.#context = context;
  }

  get hasReader(): boolean {
    return this.#mailbox !== undefined || this.#line.length > 0;
  }

  get hasMailbox(): boolean {
    return this.#mailbox !== undefined;
  }

  /** Delivers all messages to a mailbox from now on. */
  attach(mailbox: Mailbox): void {
    const { clock, leaseMs } = this.#context;
    this.#mailbox = new DurableMailbox(mailbox, { clock, leaseMs, opened: () => this.notify() });
    this.notify();
  }

  /** Adds a reader of one message. */
  add(reader: TakeLease): void {
    this.#line.push(reader);
    this.notify();
  }

  remove(reader: TakeLease): void {
    this.#line = this.#line.filter((other) => other !== reader);
  }

  /** Checks for messages. */
  notify(): void {
    this.#isNotified = true;
    if (this.#wanted > 0) this.#fetching ??= this.#fetch();
  }

  /** Closes the queue. Resolves when all leases are acknowledged or released, if possible. */
  async close(): Promise<void> {
    this.#line = [];
    const left = this.#mailbox?.leave();
    this.#mailbox = undefined;
    this.#cancelPoll?.();
    await Promise.all([this.#fetching, left]);
    if (this.#isAgain) await this.#fetchSome(0).catch(() => {});
  }

  /** How many messages can be handed over now. */
  get #wanted(): number {
    if (this.#mailbox !== undefined) return this.#mailbox.isOpen ? MAX_ITEMS : 0;
    return Math.min(MAX_ITEMS, this.#line.length);
  }

  async #fetch(): Promise<void> {
    try {
      while (this.#wanted > 0 && this.#isNotified) {
        this.#isNotified = false;
        if (await this.#fetchSome(this.#wanted)) this.#isNotified = true;
      }
    } catch {
      // The next poll tries again.
    }
    this.#fetching = undefined;
    if (this.hasReader) this.#pollLater();
  }

  /** Returns whether there may be more messages. */
  async #fetchSome(count: number): Promise<boolean> {
    const { clock, source } = this.#context;
    const [token, isAgain, askedAt] = [this.#token, this.#isAgain, clock.elapsed()];
    this.#isAgain = true;
    const items = await source.lease({ token, count, isAgain });
    this.#isAgain = false;
    this.#token = crypto.randomUUID();
    await Promise.all(items.map((item) => this.#hand(token, item, askedAt)));
    return items.length >= count;
  }

  async #hand(token: string, item: QueueItem, askedAt: number): Promise<void> {
    const message = this.#read(item);
    if (message === undefined) return await this.#discard(token, item);
    const lease = new DurableLease(this.#context, token, item, message, askedAt);
    const reader = this.#line.shift();
    if (reader !== undefined) reader(lease);
    else if (this.#mailbox !== undefined) this.#mailbox.take(lease);
    else await lease.release({ attempts: lease.attempt - 1 }).catch(() => {});
  }

  #read({ frame }: QueueItem): LayerMessage | undefined {
    try {
      return this.#context.decode(frame);
    } catch {
      return undefined;
    }
  }

  /** *Security*: anyone with access to the store can write to it. Malformed frames are counted. */
  async #discard(token: string, { number }: QueueItem): Promise<void> {
    const { source, counters } = this.#context;
    const isMine = await source.ack(token, number).catch(() => false);
    if (isMine) counters.dropped.malformed++;
  }

  #pollLater(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = this.#context.clock.after(this.#context.pollMs, () => this.notify());
  }
}
