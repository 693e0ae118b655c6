import { type Clock, systemClock } from "../../core/clock.ts";

/** A sign-in that has begun and is not finished. */
export interface OAuthTransaction {
  /** SHA-256 of `state`, in base64url. */
  readonly key: string;
  /** The provider that the browser was sent to. */
  readonly provider: string;
  /** The callback URL given to the provider. */
  readonly redirectUri: string;
  /** A path on this site. */
  readonly returnTo: string;
  /** SHA-256 of the secret in the cookie of the browser that began it, in base64url. */
  readonly browserHash: string;
  /** Binds an OpenID Connect ID token to this sign-in. */
  readonly nonce: string;
  /** The PKCE secret. */
  readonly codeVerifier: string;
  /** When the transaction expires, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * Stores pending sign-ins; contains no rules.
 *
 * A method rejects if the database cannot be reached.
 */
export interface TransactionStore {
  /** Stores a transaction. Its key is random and therefore free. */
  create(transaction: OAuthTransaction): Promise<void>;

  /**
   * Removes a transaction that `accepts` returns true for, and returns it; leaves any other one.
   *
   * Atomic: of several concurrent calls, over all processes, one gets it.
   */
  consume(
    key: string,
    accepts: (transaction: OAuthTransaction) => boolean,
  ): Promise<OAuthTransaction | undefined>;
}

/** Most transactions kept in memory. */
const MAX_TRANSACTIONS = 10_000;

/**
 * Stores transactions in memory: for tests and for a single process. Past 10,000, the oldest one is
 * dropped.
 */
export class MemoryTransactionStore implements TransactionStore {
  readonly #clock: Clock;
  readonly #transactions = new Map<string, OAuthTransaction>();

  /** Creates an empty store. */
  constructor(options: { clock?: Clock } = {}) {
    this.#clock = options.clock ?? systemClock;
  }

  /** The number of stored transactions. */
  get size(): number {
    return this.#transactions.size;
  }

  create(transaction: OAuthTransaction): Promise<void> {
    this.#sweep();
    this.#transactions.set(transaction.key, transaction);
    return Promise.resolve();
  }

  consume(
    key: string,
    accepts: (transaction: OAuthTransaction) => boolean,
  ): Promise<OAuthTransaction | undefined> {
    const transaction = this.#transactions.get(key);
    if (transaction === undefined || !accepts(transaction)) return Promise.resolve(undefined);
    this.#transactions.delete(key);
    return Promise.resolve(transaction);
  }

  /** Deletes expired transactions. A map keeps insertion order, which is expiry order. */
  #sweep(): void {
    const now = this.#clock.now();
    for (const [key, { expiresAt }] of this.#transactions) {
      if (expiresAt > now && this.#transactions.size < MAX_TRANSACTIONS) return;
      this.#transactions.delete(key);
    }
  }
}
