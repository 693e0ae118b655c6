import { type Clock, systemClock } from "../scope.ts";

/** How a {@linkcode RateLimiter} limits. */
export interface RateLimiterOptions {
  /** How many a minute, in the long run. */
  readonly perMinute: number;
  /** How many at once, after a pause. @default {perMinute} */
  readonly burst?: number;
  /** Names that are kept; past it the one that was seen least recently is forgotten. @default {100_000} */
  readonly maxKeys?: number;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

/** Says whether somebody may do something once more, by name: an address, a person. */
export interface Limiter {
  /** Takes one, and returns undefined; or returns how long to wait for one, in seconds. */
  take(key: string): number | undefined;
}

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Token buckets by name, in this process. Needs no timer: what has been earned is reckoned when it is
 * asked for.
 *
 * @example
 * ```ts
 * import { RateLimiter } from "@sluice/sluice/security";
 * import assert from "node:assert/strict";
 *
 * const limiter = new RateLimiter({ perMinute: 60, burst: 1 });
 * assert.equal(limiter.take("192.0.2.1"), undefined);
 * assert.equal(Math.ceil(limiter.take("192.0.2.1")!), 1);
 * ```
 */
export class RateLimiter implements Limiter {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #maxKeys: number;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  /** @throws {RangeError} A number is not positive. */
  constructor(options: RateLimiterOptions) {
    const { perMinute, burst = perMinute, maxKeys = 100_000, clock = systemClock } = options;
    if (!(perMinute > 0 && burst >= 1 && maxKeys >= 1)) {
      throw new RangeError(`Rates must be positive: ${perMinute} a minute, ${burst} at once`);
    }
    this.#perMs = perMinute / 60_000;
    this.#burst = burst;
    this.#maxKeys = maxKeys;
    this.#clock = clock;
  }

  /** How many names are kept. */
  get size(): number {
    return this.#buckets.size;
  }

  take(key: string): number | undefined {
    const earned = this.#earned(key);
    this.#keep(key, earned < 1 ? earned : earned - 1);
    return earned < 1 ? (1 - earned) / this.#perMs / 1000 : undefined;
  }

  /** Undoes a take. */
  giveBack(key: string): void {
    this.#keep(key, Math.min(this.#burst, this.#earned(key) + 1));
  }

  /**
   * Takes what was taken elsewhere, whether it is there or not: what is missing then has to be earned
   * first, up to `burst`.
   */
  spend(key: string, amount: number): void {
    this.#keep(key, Math.max(-this.#burst, this.#earned(key) - amount));
  }

  /** How many of a name are missing to a full bucket now. */
  missing(key: string): number {
    return this.#burst - this.#earned(key);
  }

  /** The names that were seen most recently, the latest first: at most `limit`. */
  latest(limit: number): string[] {
    return [...this.#buckets.keys()].slice(-limit).reverse();
  }

  #earned(key: string): number {
    const now = this.#clock.elapsed();
    const { tokens, at } = this.#buckets.get(key) ?? { tokens: this.#burst, at: now };
    return Math.min(this.#burst, tokens + Math.max(0, now - at) * this.#perMs);
  }

  #keep(key: string, tokens: number): void {
    // Put in again: a map keeps the order of insertion, so that the first was seen least recently.
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens, at: this.#clock.elapsed() });
    if (this.#buckets.size > this.#maxKeys) this.#forgetOne();
  }

  #forgetOne(): void {
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key);
      return;
    }
  }
}
