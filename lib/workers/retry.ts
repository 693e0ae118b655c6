/** When what failed is tried again. */
export interface RetryOptions {
  /** How often a message is tried in all. @default {5} */
  readonly attempts?: number;
  /** The longest wait before the second attempt, in milliseconds; it doubles each time. @default {1_000} */
  readonly baseMs?: number;
  /** The longest wait of all, in milliseconds. @default {60_000} */
  readonly maxMs?: number;
}

/**
 * Returns how long to wait after a failure, in milliseconds: random up to a bound that doubles, so
 * that what failed together is not tried together. At least half of the bound.
 */
export function retryDelay(
  attempt: number,
  options: RetryOptions,
  random: () => number = Math.random,
): number {
  const { baseMs = 1_000, maxMs = 60_000 } = options;
  const bound = Math.min(maxMs, baseMs * 2 ** (attempt - 1));
  return bound * (0.5 + random() / 2);
}
