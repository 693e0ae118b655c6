import type { ChannelLayer } from "../layers/mod.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { DeadLetter } from "./dead_letter.ts";
import type { RetryOptions } from "./retry.ts";

/** Options of `Worker`. */
export interface WorkerOptions {
  readonly layer: ChannelLayer;
  readonly log: Log;
  /** Messages of one channel handled at once; 1 handles them in order. @default {10} */
  readonly concurrency?: number;
  readonly retry?: RetryOptions;
  /**
   * Called for each message that was given up, before it is sent to the dead-letter channel. Called
   * again later if it throws.
   */
  readonly onDeadLetter?: (letter: DeadLetter) => void | Promise<void>;
  readonly clock?: Clock;
  /** Returns random numbers in [0, 1), for the jitter of retries. */
  readonly random?: () => number;
}

/** The counters of a worker. */
export interface WorkerStats {
  /** Messages that were handled and acknowledged. */
  readonly handled: number;
  /** Failed attempts that were followed by another one. */
  readonly retried: number;
  /** Messages that were given up and sent to a dead-letter channel. */
  readonly dead: number;
  /** Leases that were lost before the message was acknowledged; it may be handled twice. */
  readonly lost: number;
}

/** Options of a `ChannelListener`. */
export interface ListenerOptions extends WorkerOptions {
  readonly clock: Clock;
}
