import type { ChannelLayer } from "../layers/mod.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { DeadLetter } from "./dead_letter.ts";

/** Options of `Worker`. */
export interface WorkerOptions {
  /** The layer that holds the messages. */
  readonly layer: ChannelLayer;
  /** Receives failed messages. @default {consoleLog} */
  readonly log?: Log;
  /** Messages of one channel handled at once; 1 handles them in order. @default {10} */
  readonly concurrency?: number;
  /** When failed messages are retried. */
  readonly retry?: {
    /** Maximum number of attempts, including the first. @default {5} */
    readonly attempts?: number;
    /** Maximum wait before the second attempt, in milliseconds; doubles each time. @default {1_000} */
    readonly baseMs?: number;
    /** Upper limit of all waits, in milliseconds. @default {60_000} */
    readonly maxMs?: number;
  };
  /**
   * Called for each message that was given up, before it is sent to the dead-letter channel. Called
   * again later if it throws.
   */
  readonly onDeadLetter?: (letter: DeadLetter) => void | Promise<void>;
  /** Times retries and leases. */
  readonly clock?: Clock;
  /** Returns random numbers in [0, 1), for the jitter of retries. */
  readonly random?: () => number;
}

/** Options of a `ChannelListener`. */
export interface ListenerOptions extends WorkerOptions {
  readonly clock: Clock;
  readonly log: Log;
}
