import { type Clock, systemClock } from "../../core/clock.ts";
import type { KeyValue } from "../../kv/mod.ts";
import {
  MemoryTransactionStore,
  type OAuthTransaction,
  type TransactionStore,
} from "./transactions.ts";

/**
 * Stores transactions in a database, under `["sign_ins", key]`.
 */
export class KvTransactionStore implements TransactionStore {
  readonly #kv: KeyValue;
  readonly #clock: Clock;

  /**
   * Creates a store over a database.
   *
   * @param kv The database.
   */
  constructor(kv: KeyValue, options: { readonly clock?: Clock } = {}) {
    this.#kv = kv;
    this.#clock = options.clock ?? systemClock;
  }

  async create(transaction: OAuthTransaction): Promise<void> {
    const expireInMs = Math.max(1, transaction.expiresAt - this.#clock.now());
    await this.#kv.set(keyOf(transaction.key), transaction, { expireInMs });
  }

  async consume(
    key: string,
    accepts: (transaction: OAuthTransaction) => boolean,
  ): Promise<OAuthTransaction | undefined> {
    const entry = await this.#kv.get<OAuthTransaction>(keyOf(key));
    if (entry.value === undefined || !accepts(entry.value)) return undefined;
    const { ok } = await this.#kv.atomic().check(entry).delete(entry.key).commit();
    return ok ? entry.value : undefined;
  }
}

function keyOf(key: string): readonly string[] {
  return ["sign_ins", key];
}

/** Returns a store over a database or, without one, in memory. */
export function transactionStore(kv: KeyValue | undefined, clock: Clock): TransactionStore {
  return kv === undefined
    ? new MemoryTransactionStore({ clock })
    : new KvTransactionStore(kv, { clock });
}
