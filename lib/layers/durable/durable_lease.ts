import type { Clock } from "../../core/clock.ts";
import type { LayerMessage } from "../../core/consumer.ts";
import type { Lease } from "../channel_layer.ts";
import { LayerError } from "../layer_error.ts";
import type { LayerCounters } from "../layer_stats.ts";
import { pause } from "../../core/within.ts";
import { retryPauseMs } from "../../time/retry_pause.ts";

/** A message leased from a durable channel: its position, attempt and frame. */
export interface QueueItem {
  /** The message's number in the channel. */
  readonly number: number;
  /** The number of this attempt, from 1. */
  readonly attempt: number;
  readonly frame: string;
}

/** A request to a {@linkcode QueueSource}. */
export interface LeaseRequest {
  /** Identifies the leases of this request; unique to it. */
  readonly token: string;
  /** The maximum number of messages to lease. */
  readonly count: number;
  /** Whether the request is repeated after a lost response: it then returns the same messages. */
  readonly isAgain: boolean;
}

/**
 * The message store of one durable channel. A message stays there until it is acknowledged. A call
 * whose token no longer holds the message returns false and changes nothing.
 */
export interface QueueSource {
  /** Leases messages in order. @throws {LayerError} `UNAVAILABLE`. */
  lease(request: LeaseRequest): Promise<readonly QueueItem[]>;
  /** Removes a message. @throws {LayerError} `UNAVAILABLE`: it may have been removed. */
  ack(token: string, number: number): Promise<boolean>;
  renew(token: string, number: number, attempts: number): Promise<boolean>;
  release(token: string, number: number, attempts: number): Promise<boolean>;
}

/** What a {@linkcode DurableLease} is given. */
export interface DurableLeaseContext {
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly source: QueueSource;
  readonly counters: LayerCounters;
}

const RETRY_PAUSE = { minMs: 50, maxMs: 1_000 };

/** A lease of a message in a {@linkcode QueueSource}. */
export class DurableLease implements Lease {
  readonly message: LayerMessage;
  readonly #context: DurableLeaseContext;
  readonly #token: string;
  readonly #number: number;
  #attempt: number;
  /** No other reader can have the message before this time: the store's lease starts later. */
  #heldUntil: number;
  #isCounted = false;

  /** @param askedAt When the lease was requested, by the context's clock. */
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
   * Acknowledges the message before it is handed to a reader, with one try. If the outcome is unknown,
   * the reader gets the message, so that it is not lost, and the acknowledgement is retried.
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

  async renew({ attempts = this.#attempt }: { readonly attempts?: number } = {}): Promise<boolean> {
    const { clock, source, leaseMs } = this.#context;
    const askedAt = clock.elapsed();
    const isDone = await source.renew(this.#token, this.#number, attempts);
    if (isDone) {
      this.#attempt = attempts;
      this.#heldUntil = askedAt + leaseMs;
    }
    return isDone;
  }

  async release(
    { attempts = this.#attempt }: { readonly attempts?: number } = {},
  ): Promise<boolean> {
    return await this.#context.source.release(this.#token, this.#number, attempts);
  }

  /** @param isUnsure Whether an earlier attempt may have removed the message. */
  async #ack(isUnsure: boolean): Promise<boolean> {
    const { clock, source } = this.#context;
    for (let tries = 0;; tries++) {
      try {
        const isDone = await source.ack(this.#token, this.#number);
        // No other reader can have had the message, so an earlier attempt removed it.
        if (isDone || (isUnsure && this.isHeld)) {
          this.#count();
          return true;
        }
        if (!isUnsure) return false;
      } catch (error) {
        if (!this.isHeld || (error instanceof LayerError && error.code === "CLOSED")) throw error;
        isUnsure = true;
        await pause(clock, retryPauseMs(tries, RETRY_PAUSE));
        continue;
      }
      throw new LayerError(
        "UNAVAILABLE",
        "The lease ended before the layer was reachable again",
      );
    }
  }

  #count(): void {
    if (!this.#isCounted) this.#context.counters.delivered++;
    this.#isCounted = true;
  }
}
