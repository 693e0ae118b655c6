import { type Clock, systemClock } from "../core/clock.ts";
import { type Application, guarded, type Middleware, type Scope } from "../core/scope.ts";
import { networkOf } from "../core/request_values.ts";
import { Refusal } from "../protocol/mod.ts";

/** Options of {@linkcode RateLimiter}. */
export interface RateLimiterOptions {
  /** Long-term rate per minute. */
  readonly perMinute: number;
  /** Number of takes that are possible at once after a pause. @default {perMinute} */
  readonly burst?: number;
  /** Maximum number of keys; beyond it, the least recently used is dropped. @default {100_000} */
  readonly maxKeys?: number;
  /** Refills the limits. @default {systemClock} */
  readonly clock?: Clock;
}

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Token buckets by key, such as an address or a user, in this process. Needs no timer: tokens are added
 * up when a bucket is used. An address counts by its network: all spellings of an IPv4 address, and the
 * first 64 bits of an IPv6 address, are one key.
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
export class RateLimiter {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #maxKeys: number;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  /**
   * Creates a limiter in which every key has its full limit.
   *
   * @throws {RangeError} A number is not positive.
   */
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

  /** The number of keys. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a token and returns undefined, or returns the time until one is available, in seconds. */
  take(name: string): number | undefined {
    const key = networkOf(name);
    const earned = this.#earned(key);
    this.#keep(key, earned < 1 ? earned : earned - 1);
    return earned < 1 ? (1 - earned) / this.#perMs / 1000 : undefined;
  }

  /** Undoes a take. */
  giveBack(name: string): void {
    const key = networkOf(name);
    this.#keep(key, Math.min(this.#burst, this.#earned(key) + 1));
  }

  /**
   * Takes tokens that were taken in another process, even if the bucket lacks them: it can go into debt,
   * up to `burst`.
   */
  spend(key: string, amount: number): void {
    this.#keep(key, Math.max(-this.#burst, this.#earned(key) - amount));
  }

  /** The number of tokens that a key's bucket lacks now. */
  missing(key: string): number {
    return this.#burst - this.#earned(key);
  }

  /** Returns the most recently used keys, the latest first: at most `limit`. */
  latest(limit: number): string[] {
    return [...this.#buckets.keys()].slice(-limit).reverse();
  }

  #earned(key: string): number {
    const now = this.#clock.elapsed();
    const { tokens, at } = this.#buckets.get(key) ?? { tokens: this.#burst, at: now };
    return Math.min(this.#burst, tokens + Math.max(0, now - at) * this.#perMs);
  }

  #keep(key: string, tokens: number): void {
    // A map keeps the order of insertion: its first key is the least recently used.
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

/**
 * Refuses addresses that connect too often, before anything is read: 429 `TOO_MANY_ATTEMPTS`, with
 * `Retry-After`. Accepted and refused requests both count.
 *
 * A {@linkcode RateLimiter} counts for this process, a {@linkcode SharedRateLimiter} for all processes.
 *
 * *Security*: the address is that of the peer or, behind a trusted proxy, that of the client. Behind an
 * untrusted proxy, all clients share one limit.
 */
export function withHandshakeRate<S extends Scope>(
  limiter: Pick<RateLimiter, "take">,
  next: Application<S>,
): Application<S> {
  const application: Application<S> = (scope) => {
    const retryAfterSeconds = limiter.take(scope.address);
    if (retryAfterSeconds === undefined) return next(scope);
    return new Refusal("TOO_MANY_ATTEMPTS", {
      status: 429,
      detail: "Too many attempts: wait a moment",
      retryAfterSeconds,
    });
  };
  return guarded(application, next);
}

/**
 * The middleware of {@linkcode withHandshakeRate} for a `stack()`: refuses addresses that connect too
 * often with 429 `TOO_MANY_ATTEMPTS`.
 *
 * @example
 * ```ts
 * import { handshakeRate } from "@sluice/sluice";
 * import { RateLimiter } from "@sluice/sluice/security";
 *
 * const limited = handshakeRate(new RateLimiter({ perMinute: 600 }));
 * ```
 */
export function handshakeRate(limiter: Pick<RateLimiter, "take">): Middleware<Scope> {
  return (next) => withHandshakeRate(limiter, next);
}
