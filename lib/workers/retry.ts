import { retryPauseMs } from "../time/retry_pause.ts";

/** When failed messages are retried. */
export interface RetryOptions {
  /** Maximum number of attempts, including the first. @default {5} */
  readonly attempts?: number;
  /** Maximum wait before the second attempt, in milliseconds; doubles each time. @default {1_000} */
  readonly baseMs?: number;
  /** Upper limit of all waits, in milliseconds. @default {60_000} */
  readonly maxMs?: number;
}

/**
 * Returns how long to wait after a failure, in milliseconds: a random time between half of a bound and
 * the bound, which doubles with each attempt. The jitter spreads messages that failed at the same time.
 */
export function retryDelay(
  attempt: number,
  options: RetryOptions,
  random: () => number = Math.random,
): number {
  const { baseMs = 1_000, maxMs = 60_000 } = options;
  const bound = retryPauseMs(attempt - 1, { minMs: baseMs, maxMs });
  return bound * (0.5 + random() / 2);
}
