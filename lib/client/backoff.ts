/** How a wait grows from one failed attempt to the next. */
export interface Backoff {
  /** Bound of the first wait, in milliseconds. */
  readonly baseDelayMs: number;
  /** Bound that the waits grow to, in milliseconds. */
  readonly maxDelayMs: number;
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number;
}

/**
 * Returns how long to wait after `failures` failed attempts, in milliseconds: exponential with full
 * jitter, which spreads many clients evenly from 0 to `min(maxDelayMs, baseDelayMs × 2^failures)`.
 */
export function backoffMs(failures: number, backoff: Backoff): number {
  const bound = Math.min(backoff.maxDelayMs, backoff.baseDelayMs * 2 ** failures);
  return Math.floor(backoff.random() * bound);
}

/** Longest wait that a server can ask for, in milliseconds. */
export const MAX_ADVERTISED_MS = 300_000;

/**
 * Reads the window in which a server that goes away wants its clients back, in milliseconds.
 *
 * The reason of the close holds `retry=N`, with N in milliseconds: `restart retry=10000`. Each
 * client comes back at a moment of its own, anywhere in the window. At most five minutes.
 */
export function parseRetryWindow(reason: string): number | undefined {
  const match = /(?:^|[\s;,])retry=(\d{1,9})(?![\w.])/.exec(reason);
  return match ? Math.min(Number(match[1]), MAX_ADVERTISED_MS) : undefined;
}

/**
 * Reads a `Retry-After` header (RFC 9110 §10.2.3) in milliseconds: seconds, or a date, which counts from
 * the response's own `Date`, as this machine's clock may be wrong. At most five minutes; `undefined` if
 * there is none or it cannot be read.
 */
export function parseRetryAfter(header: string | null, date: string | null): number | undefined {
  if (!header) return undefined;
  const ms = /^\d+$/.test(header)
    ? Number(header) * 1000
    : Date.parse(header) - Date.parse(date ?? "");
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_ADVERTISED_MS);
}

/** Longest wait of a timer, in milliseconds: a longer one would ring at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Brings a time into the bounds of a timer. What is no number becomes `fallbackMs`. */
export function clampMs(ms: number | undefined, fallbackMs = 0, floorMs = 0): number {
  if (ms === undefined || Number.isNaN(ms)) return fallbackMs;
  return Math.min(Math.max(ms, floorMs), MAX_TIMER_MS);
}
