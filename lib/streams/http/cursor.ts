/** When the intervals of cursors begin, in milliseconds since the epoch: 2024-10-09. */
const BEGIN_MS = Date.UTC(2024, 9, 9);

/** The length of an interval, in milliseconds. */
const INTERVAL_MS = 20_000;

/** Largest step beyond a client's cursor: an hour. */
const MAX_STEP = 180;

/** A cursor. Longer ones are none of this server, and are ignored. */
const CURSOR = /^\d{1,100}$/;

/**
 * Returns the next `Stream-Cursor`: the number of the current interval, or a random later one if the
 * client is not behind, so that a cache never answers the same request for ever.
 */
export function nextCursor(
  cursor: string | null,
  now: number,
  random: () => number = Math.random,
): string {
  const current = BigInt(Math.floor((now - BEGIN_MS) / INTERVAL_MS));
  const shown = cursor !== null && CURSOR.test(cursor) ? BigInt(cursor) : -1n;
  if (shown < current) return String(current);
  return String(shown + 1n + BigInt(Math.floor(random() * MAX_STEP)));
}
