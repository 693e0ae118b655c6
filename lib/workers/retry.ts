import { retryPauseMs } from "../time/retry_pause.ts";

/**
 * Returns how long to wait after a failure, in milliseconds: a random time between half of a bound and
 * the bound, which doubles with each attempt. The jitter spreads messages that failed at the same time.
 */
export function retryDelay(
  attempt: number,
  options: { readonly baseMs?: number; readonly maxMs?: number },
  random: () => number = Math.random,
): number {
  const { baseMs = 1_000, maxMs = 60_000 } = options;
  const bound = retryPauseMs(attempt - 1, { minMs: baseMs, maxMs });
  return bound * (0.5 + random() / 2);
}
