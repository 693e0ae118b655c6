import { type Clock, systemClock } from "../../core/clock.ts";

/** A key that signs tickets, as stored. */
export interface TicketKey {
  /** Identifies the key in tickets; not a secret. */
  readonly id: string;
  /** *Security*: it allows creating tickets. Never log it. */
  readonly secret: Uint8Array<ArrayBuffer>;
  /** In milliseconds since the epoch. */
  readonly createdAt: number;
}

/**
 * Stores ticket keys and used tickets. Its only rule is that the first use of a ticket wins.
 *
 * A method rejects if the database cannot be reached.
 */
export interface TicketStore {
  /** Returns all stored keys. */
  keys(): Promise<TicketKey[]>;

  /** Stores a key at least until `forgetAt`, in milliseconds since the epoch. */
  addKey(key: TicketKey, forgetAt: number): Promise<void>;

  /**
   * Marks a ticket as used, at least until `forgetAt`.
   *
   * Atomic: of all calls with one id, over all processes, exactly one returns true.
   */
  use(id: string, forgetAt: number): Promise<boolean>;
}

/**
 * Stores keys and used tickets in memory: for tests and for a single process.
 *
 * @example
 * ```ts
 * import { MemoryTicketStore } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * const store = new MemoryTicketStore();
 * assert.equal(await store.use("a", Date.now() + 1000), true);
 * assert.equal(await store.use("a", Date.now() + 1000), false);
 * ```
 */
export class MemoryTicketStore implements TicketStore {
  readonly #keys: TicketKey[] = [];
  readonly #used = new Map<string, number>();
  readonly #clock: Clock;

  /** Creates an empty store. The clock decides when a used ticket is forgotten. */
  constructor(options: { readonly clock?: Clock } = {}) {
    this.#clock = options.clock ?? systemClock;
  }

  keys(): Promise<TicketKey[]> {
    return Promise.resolve([...this.#keys]);
  }

  addKey(key: TicketKey): Promise<void> {
    this.#keys.push(key);
    return Promise.resolve();
  }

  use(id: string, forgetAt: number): Promise<boolean> {
    if (this.#used.has(id)) return Promise.resolve(false);
    this.#sweep();
    this.#used.set(id, forgetAt);
    return Promise.resolve(true);
  }

  /** Deletes expired tickets. A map keeps insertion order, which is nearly expiry order. */
  #sweep(): void {
    const now = this.#clock.now();
    for (const [id, forgetAt] of this.#used) {
      if (forgetAt > now) return;
      this.#used.delete(id);
    }
  }
}
