import { type Clock, systemClock } from "../../core/clock.ts";
import { type KeyValue, listAll } from "../../kv/mod.ts";
import type { TicketKey, TicketStore } from "./ticket_store.ts";

/**
 * Stores ticket keys and used tickets in a database, for all processes that share it.
 *
 * `["ticket_keys", id]` is a key, `["tickets_used", id]` a used ticket; both expire by themselves.
 *
 * @example
 * ```ts
 * import { KvTicketStore } from "@sluice/sluice/auth";
 * import { MemoryKeyValue } from "@sluice/sluice/kv";
 * import assert from "node:assert/strict";
 *
 * await using kv = new MemoryKeyValue();
 * const store = new KvTicketStore(kv);
 * assert.equal(await store.use("a", Date.now() + 1000), true);
 * assert.equal(await store.use("a", Date.now() + 1000), false);
 * ```
 */
export class KvTicketStore implements TicketStore {
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

  keys(): Promise<TicketKey[]> {
    const entries = listAll<TicketKey>(this.#kv, { prefix: ["ticket_keys"] });
    return Array.fromAsync(entries, ({ value }) => value);
  }

  async addKey(key: TicketKey, forgetAt: number): Promise<void> {
    await this.#kv.set(["ticket_keys", key.id], key, { expireInMs: this.#until(forgetAt) });
  }

  async use(id: string, forgetAt: number): Promise<boolean> {
    const key = ["tickets_used", id];
    const { ok } = await this.#kv.atomic()
      .check({ key, version: null })
      .set(key, null, { expireInMs: this.#until(forgetAt) })
      .commit();
    return ok;
  }

  #until(time: number): number {
    return Math.max(1, time - this.#clock.now());
  }
}
