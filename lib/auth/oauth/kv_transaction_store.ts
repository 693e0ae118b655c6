import { type Clock, systemClock } from "../../core/clock.ts";
import { KvConnection, type KvSource } from "../../sessions/mod.ts";
import type { OAuthTransaction, TransactionStore } from "./transactions.ts";

/**
 * Stores transactions in Deno KV, under `["sign_ins", key]`.
 *
 * @example
 * ```ts
 * import { KvTransactionStore } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * using kv = await Deno.openKv(":memory:");
 * assert.equal(await new KvTransactionStore(kv).consume("unknown"), undefined);
 * ```
 */
export class KvTransactionStore implements TransactionStore {
  readonly #kv: KvConnection;
  readonly #clock: Clock;

  /** @param source The database, or a function that opens it at first use. */
  constructor(source: KvSource, options: { clock?: Clock } = {}) {
    this.#kv = new KvConnection(source);
    this.#clock = options.clock ?? systemClock;
  }

  async create(transaction: OAuthTransaction): Promise<void> {
    const expireIn = Math.max(1, Math.ceil(transaction.expiresAt - this.#clock.now()));
    await this.#kv.run((kv) => kv.set(keyOf(transaction.key), transaction, { expireIn }));
  }

  consume(key: string): Promise<OAuthTransaction | undefined> {
    return this.#kv.run(async (kv) => {
      const entry = await kv.get<OAuthTransaction>(keyOf(key));
      if (entry.versionstamp === null) return undefined;
      const result = await kv.atomic().check(entry).delete(entry.key).commit();
      return result.ok ? entry.value : undefined;
    });
  }
}

function keyOf(key: string): Deno.KvKey {
  return ["sign_ins", key];
}
