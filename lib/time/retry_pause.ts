/** The limits of {@linkcode retryPauseMs}. */
export interface RetryPauseLimits {
  /** The pause after the first failure, in milliseconds. */
  readonly minMs: number;
  /** The longest pause, in milliseconds. */
  readonly maxMs: number;
}

/**
 * Returns the pause after `failures` failed retries, in milliseconds: `minMs` at first, doubled with
 * each failure, up to `maxMs`. Multiply it with a random number to spread retries of many processes.
 */
export function retryPauseMs(failures: number, { minMs, maxMs }: RetryPauseLimits): number {
  return Math.min(maxMs, minMs * 2 ** failures);
}
