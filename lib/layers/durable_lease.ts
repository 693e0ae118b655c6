import type { Clock, LayerMessage } from "../scope.ts";
import type { Lease, LeaseEnd } from "./channel_layer.ts";
import { LayerError } from "./layer_error.ts";
import type { LayerCounters } from "./layer_stats.ts";

/** A message that was leased from a durable channel: its place there, and as it was sent. */
export interface QueueItem {
  /** Its number in the channel. */
  readonly number: number;
  /** Which attempt this lease is, from 1. */
  readonly attempt: number;
  readonly frame: string;
}

/** What is asked of a {@linkcode QueueSource}. */
export interface LeaseRequest {
  /** Names the leases of this request: no other request has it. */
  readonly token: string;
  /** How many messages to lease at most. */
  readonly count: number;
  /** Whether the request is repeated because its answer got lost: then it finds its messages. */
  readonly isAgain: boolean;
}

/**
 * Where the messages of one durable channel are. A message stays there until it is acknowledged; a
 * call with a token that does not hold it any more returns false and changes nothing.
 */
export interface QueueSource {
  /** Leases messages, in their order. @throws {LayerError} `UNAVAILABLE`. */
  lease(request: LeaseRequest): Promise<readonly QueueItem[]>;
  /** Removes a message. @throws {LayerError} `UNAVAILABLE`: it may be removed all the same. */
  ack(token: string, number: number): Promise<boolean>;
  renew(token: string, number: number, attempts: number): Promise<boolean>;
  release(token: string, number: number, attempts: number): Promise<boolean>;
}

/** What a {@linkcode DurableLease} works with. */
export interface DurableLeaseContext {
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly source: QueueSource;
  readonly counters: LayerCounters;
}

const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;

/** A lease of a message that a store keeps. */
export class DurableLease implements Lease {
  readonly message: LayerMessage;
  readonly #context: DurableLeaseContext;
  readonly #token: string;
  readonly #number: number;
  #attempt: number;
  /** Until when no other reader can have the message: the store counts from a later moment. */
  #heldUntil: number;
  #isCounted = false;

  /** @param askedAt When the lease was asked for, by the context's clock. */
  constructor(
    context: DurableLeaseContext,
    token: string,
    item: QueueItem,
    message: LayerMessage,
    askedAt: number,
  ) {
    this.message = message;
    this.#context = context;
    this.#token = token;
    this.#number = item.number;
    this.#attempt = item.attempt;
    this.#heldUntil = askedAt + context.leaseMs;
  }

  get attempt(): number {
    return this.#attempt;
  }

  get durationMs(): number {
    return this.#context.leaseMs;
  }

  /** Whether it is certain that no other reader has the message. */
  get isHeld(): boolean {
    return this.#context.clock.elapsed() < this.#heldUntil;
  }

  ack(): Promise<boolean> {
    return this.#ack(false);
  }

  /**
   * Acknowledges the message for a reader that takes it now, with one try. If the outcome is unknown,
   * the reader gets the message, so that none is lost, and further tries follow.
   */
  async take(): Promise<boolean> {
    try {
      const isDone = await this.#context.source.ack(this.#token, this.#number);
      if (isDone) this.#count();
      return isDone;
    } catch {
      this.#count();
      this.#ack(true).catch(() => {});
      return true;
    }
  }

  async renew({ attempts = this.#attempt }: LeaseEnd = {}): Promise<boolean> {
    const { clock, source, leaseMs } = this.#context;
    const askedAt = clock.elapsed();
    const isDone = await source.renew(this.#token, this.#number, attempts);
    if (isDone) {
      this.#attempt = attempts;
      this.#heldUntil = askedAt + leaseMs;
    }
    return isDone;
  }

  async release({ attempts = this.#attempt }: LeaseEnd = {}): Promise<boolean> {
    return await this.#context.source.release(this.#token, this.#number, attempts);
  }

  /** @param isUnsure Whether an earlier try may have removed the message. */
  async #ack(isUnsure: boolean): Promise<boolean> {
    const { clock, source } = this.#context;
    for (let tries = 0;; tries++) {
      try {
        const isDone = await source.ack(this.#token, this.#number);
        // No other reader can have had the message: an earlier try has removed it.
        if (isDone || (isUnsure && this.isHeld)) {
          this.#count();
          return true;
        }
        if (!isUnsure) return false;
      } catch (error) {
        if (!this.isHeld || (error instanceof LayerError && error.code === "CLOSED")) throw error;
        isUnsure = true;
        const waitMs = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** tries);
        await new Promise<void>((resolve) => void clock.after(waitMs, resolve));
        continue;
      }
      throw new LayerError(
        "UNAVAILABLE",
        "The lease ended before the layer could be reached again",
      );
    }
  }

  #count(): void {
    if (!this.#isCounted) this.#context.counters.delivered++;
    this.#isCounted = true;
  }
}
