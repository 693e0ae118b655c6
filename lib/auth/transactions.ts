import { type Clock, systemClock } from "../scope.ts";

/** A sign-in that has begun and is not finished. */
export interface Transaction {
  /** SHA-256 of `state`, in base64url. */
  readonly key: string;
  /** The provider that the person was sent to. */
  readonly provider: string;
  /** Where the provider was asked to send the person back. */
  readonly redirectUri: string;
  /** A path on this site. */
  readonly returnTo: string;
  /** SHA-256 of the secret in the cookie of the browser that began it, in base64url. */
  readonly browserHash: string;
  readonly nonce: string;
  /** The secret of PKCE. */
  readonly codeVerifier: string;
  /** From when on it counts no more, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * Where sign-ins are kept between their beginning and their end. It decides nothing.
 *
 * A method rejects where the database cannot be reached.
 */
export interface TransactionStore {
  /** Stores a transaction. Its key is random: it is not taken. */
  create(transaction: Transaction): Promise<void>;

  /**
   * Takes a transaction out and returns it, also one that has expired.
   *
   * Atomic: of several calls at once, in whatever process, one gets it.
   */
  consume(key: string): Promise<Transaction | undefined>;
}

/** Most transactions that are kept in memory. */
const MAX_TRANSACTIONS = 10_000;

/**
 * Keeps transactions in this process: for tests, and where one process serves all. Past 10,000 the
 * oldest one is dropped.
 *
 * @example
 * ```ts
 * import { MemoryTransactionStore } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * assert.equal(await new MemoryTransactionStore().consume("unknown"), undefined);
 * ```
 */
export class MemoryTransactionStore implements TransactionStore {
  readonly #clock: Clock;
  readonly #transactions = new Map<string, Transaction>();

  constructor(options: { clock?: Clock } = {}) {
    this.#clock = options.clock ?? systemClock;
  }

  /** How many are kept. */
  get size(): number {
    return this.#transactions.size;
  }

  create(transaction: Transaction): Promise<void> {
    this.#sweep();
    this.#transactions.set(transaction.key, transaction);
    return Promise.resolve();
  }

  consume(key: string): Promise<Transaction | undefined> {
    const transaction = this.#transactions.get(key);
    this.#transactions.delete(key);
    return Promise.resolve(transaction);
  }

  /** A map keeps the order of insertion, which is that of expiry. */
  #sweep(): void {
    const now = this.#clock.now();
    for (const [key, { expiresAt }] of this.#transactions) {
      if (expiresAt > now && this.#transactions.size < MAX_TRANSACTIONS) return;
      this.#transactions.delete(key);
    }
  }
}
