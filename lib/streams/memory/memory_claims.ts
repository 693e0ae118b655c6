import type { Clock } from "../../core/clock.ts";
import { ExpiringMap } from "./expiring_map.ts";
import { CLAIM_MS } from "../stream_options.ts";
import type { Claim } from "../stream_store.ts";

interface ClaimEntry {
  /** The token of the caller that runs the command; undefined once it is settled. */
  token: string | undefined;
  outcome: unknown;
  /** Until when the claim holds. */
  until: number;
}

/** Claims of commands in the memory of one process. */
export class MemoryClaims {
  readonly #clock: Clock;
  readonly #entries: ExpiringMap<ClaimEntry>;

  constructor(clock: Clock, windowMs: number, maxEntries: number) {
    this.#clock = clock;
    this.#entries = new ExpiringMap(clock, windowMs, maxEntries);
  }

  claim(key: string): Claim {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      const token = crypto.randomUUID();
      this.#entries.add(key, {
        token,
        outcome: undefined,
        until: this.#clock.elapsed() + CLAIM_MS,
      });
      return { state: "claimed", token };
    }
    if (entry.token === undefined) return { state: "settled", outcome: entry.outcome };
    return { state: entry.until > this.#clock.elapsed() ? "running" : "unknown" };
  }

  renew(key: string, token: string): boolean {
    const entry = this.#held(key, token);
    if (entry !== undefined) entry.until = this.#clock.elapsed() + CLAIM_MS;
    return entry !== undefined;
  }

  settle(key: string, token: string, outcome: unknown): boolean {
    const entry = this.#held(key, token);
    if (entry === undefined) return false;
    entry.token = undefined;
    entry.outcome = outcome;
    return true;
  }

  release(key: string, token: string): void {
    if (this.#held(key, token) !== undefined) this.#entries.delete(key);
  }

  #held(key: string, token: string): ClaimEntry | undefined {
    const entry = this.#entries.get(key);
    return entry?.token === token && entry.until > this.#clock.elapsed() ? entry : undefined;
  }
}
