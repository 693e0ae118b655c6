import { Refusal } from "../../protocol/mod.ts";

/**
 * Limits wrong guesses per key: an attempt is taken before each guess and given back if it was
 * right.
 */
export interface GuessLimiter {
  /** Takes an attempt and returns undefined, or returns the seconds to wait for the next one. */
  take(key: string): number | undefined;
  /** Gives back an attempt. */
  giveBack(key: string): void;
}

/**
 * Counts a guess against each of `keys`, and returns the result of `find`.
 *
 * *Security*: a guess is counted before its lookup, so that parallel guesses cannot bypass the
 * limit.
 *
 * @throws {Refusal} `TOO_MANY_ATTEMPTS`: too many guesses were wrong.
 */
export async function guess<T>(
  limiter: GuessLimiter | undefined,
  keys: readonly string[],
  find: () => Promise<T | undefined>,
): Promise<T | undefined> {
  for (const key of keys) {
    const retryAfter = limiter?.take(key);
    if (retryAfter === undefined) continue;
    throw new Refusal("TOO_MANY_ATTEMPTS", {
      status: 429,
      detail: "Too many wrong codes. Wait a moment, then try again",
      retryAfterSeconds: Math.ceil(retryAfter),
    });
  }
  const found = await find();
  if (found !== undefined) { for (const key of keys) limiter?.giveBack(key); }
  return found;
}
