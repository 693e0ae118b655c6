import { Refusal } from "../protocol/mod.ts";

/** Limits wrong guesses by name: takes one before a guess, and gives it back if that was right. */
export interface GuessLimiter {
  /** Takes one, and returns undefined; or returns how long to wait for one, in seconds. */
  take(key: string): number | undefined;
  /** Undoes a take. */
  giveBack(key: string): void;
}

/**
 * Makes a guess for each of `keys`, and returns what it finds.
 *
 * *Security*: a guess is counted before it is looked up, so that many at once are no way around the
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
      detail: "Too many wrong codes: wait a moment",
      retryAfterSeconds: Math.ceil(retryAfter),
    });
  }
  const found = await find();
  if (found !== undefined) { for (const key of keys) limiter?.giveBack(key); }
  return found;
}
