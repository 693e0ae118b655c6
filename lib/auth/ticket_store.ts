/** A key that tickets are signed with, as it is stored. */
export interface TicketKey {
  /** Its name, which tickets carry; not a secret. */
  readonly id: string;
  /** *Security*: whoever has it can write tickets. Never log it. */
  readonly secret: Uint8Array<ArrayBuffer>;
  /** In milliseconds since the epoch. */
  readonly createdAt: number;
}

/**
 * Where the keys of tickets are kept, and which tickets were used. It decides nothing but who comes
 * first.
 *
 * A method rejects where the database cannot be reached.
 */
export interface TicketStore {
  /** Returns all keys that are kept. */
  keys(): Promise<TicketKey[]>;

  /** Keeps a key at least until `forgetAt`, in milliseconds since the epoch. */
  addKey(key: TicketKey, forgetAt: number): Promise<void>;

  /**
   * Marks a ticket as used, at least until `forgetAt`.
   *
   * Atomic: of all calls with one id, in whatever process, exactly one returns true.
   */
  use(id: string, forgetAt: number): Promise<boolean>;
}

/**
 * Keeps keys and used tickets in this process: for tests, and where one process serves all.
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

  /** A map keeps the order of insertion, which is nearly that of expiry. */
  #sweep(): void {
    const now = Date.now();
    for (const [id, forgetAt] of this.#used) {
      if (forgetAt > now) return;
      this.#used.delete(id);
    }
  }
}
