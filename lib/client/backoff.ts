/** How the delay grows after failed attempts. */
export interface Backoff {
  /** Upper bound of the first delay, in milliseconds. */
  readonly baseDelayMs: number;
  /** Largest upper bound of the delays, in milliseconds. */
  readonly maxDelayMs: number;
  /** Returns a random number in [0, 1). */
  readonly random: () => number;
}

/**
 * Returns the delay after `failures` failed attempts, in milliseconds: exponential backoff with full
 * jitter, evenly distributed from 0 to `min(maxDelayMs, baseDelayMs × 2^failures)`.
 */
export function backoffMs(failures: number, backoff: Backoff): number {
  const { baseDelayMs, maxDelayMs, random } = backoff;
  return Math.floor(random() * Math.min(maxDelayMs, baseDelayMs * 2 ** failures));
}

/** Longest delay that a server can request, in milliseconds. */
export const MAX_ADVERTISED_MS = 300_000;

/**
 * Parses the window in which a stopping server wants its clients to reconnect, in milliseconds.
 *
 * The close reason contains `retry=N`, with N in milliseconds: `restart retry=10000`. Each client
 * reconnects at a random time in the window, which is at most five minutes.
 */
export function parseRetryWindow(reason: string): number | undefined {
  const ms = /(?:^|[\s;,])retry=(\d{1,9})(?![\w.])/.exec(reason)?.[1];
  return ms === undefined ? ms : Math.min(+ms, MAX_ADVERTISED_MS);
}

/**
 * Parses a `Retry-After` header (RFC 9110 §10.2.3) in milliseconds: seconds, or a date relative to the
 * response's own `Date`, because the local clock may be wrong. At most five minutes; `undefined` if
 * the header is missing or malformed.
 */
export function parseRetryAfter(header: string | null, date: string | null): number | undefined {
  if (!header) return undefined;
  const ms = /^\d+$/.test(header)
    ? Number(header) * 1000
    : Date.parse(header) - Date.parse(date ?? "");
  return isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_ADVERTISED_MS);
}

/** Longest delay of a timer, in milliseconds: a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Clamps a time to the range of a timer. A value that is not a number becomes `fallbackMs`. */
export function clampMs(ms: number | undefined, fallbackMs = 0, floorMs = 0): number {
  const limitedMs = Math.min(Math.max(ms ?? NaN, floorMs), MAX_TIMER_MS);
  return isNaN(limitedMs) ? fallbackMs : limitedMs;
}
