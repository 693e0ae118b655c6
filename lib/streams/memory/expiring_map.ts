import type { Clock } from "../../core/clock.ts";
import { StreamError } from "../stream_error.ts";

/** A map whose entries all expire after the same time. Each use removes a few expired ones. */
export class ExpiringMap<V> {
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  readonly #maxEntries: number;
  /** In the order of expiry. */
  readonly #entries = new Map<string, { readonly value: V; readonly expiresAt: number }>();

  constructor(clock: Clock, lifetimeMs: number, maxEntries: number) {
    this.#clock = clock;
    this.#lifetimeMs = lifetimeMs;
    this.#maxEntries = maxEntries;
  }

  /** Number of entries, including expired ones that were not removed yet. */
  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.expiresAt > this.#clock.elapsed() ? entry.value : undefined;
  }

  /** @throws {StreamError} `LIMIT_REACHED`: there are too many entries. */
  assertRoom(): void {
    this.#removeExpired();
    if (this.#entries.size < this.#maxEntries) return;
    throw new StreamError(
      "LIMIT_REACHED",
      `Cannot remember another key: there are ${this.#maxEntries} already`,
    );
  }

  /** @throws {StreamError} `LIMIT_REACHED`: there are too many entries. */
  add(key: string, value: V): void {
    this.assertRoom();
    this.#entries.delete(key);
    this.#entries.set(key, { value, expiresAt: this.#clock.elapsed() + this.#lifetimeMs });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  #removeExpired(): void {
    const now = this.#clock.elapsed();
    let left = REMOVED_AT_ONCE;
    for (const [key, { expiresAt }] of this.#entries) {
      if (expiresAt > now || left-- === 0) return;
      this.#entries.delete(key);
    }
  }
}

/** How many expired entries one use removes. */
const REMOVED_AT_ONCE = 16;
