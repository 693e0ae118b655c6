import { type Clock, systemClock } from "../../core/clock.ts";
import { KvConnection, type KvSource } from "../../sessions/mod.ts";
import type { TicketKey, TicketStore } from "./ticket_store.ts";

/**
 * Stores ticket keys and used tickets in Deno KV, for all processes that share the database.
 *
 * `["ticket_keys", id]` is a key, `["tickets_used", id]` a used ticket; both expire by themselves.
 * Each atomic operation has one check.
 *
 * @example
 * ```ts
 * import { KvTicketStore } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * using kv = await Deno.openKv(":memory:");
 * const store = new KvTicketStore(kv);
 * assert.equal(await store.use("a", Date.now() + 1000), true);
 * assert.equal(await store.use("a", Date.now() + 1000), false);
 * ```
 */
export class KvTicketStore implements TicketStore {
  readonly #kv: KvConnection;
  readonly #clock: Clock;

  /** @param source The database, or a function that opens it at first use. */
  constructor(source: KvSource, options: { clock?: Clock } = {}) {
    this.#kv = new KvConnection(source);
    this.#clock = options.clock ?? systemClock;
  }

  keys(): Promise<TicketKey[]> {
    return this.#kv.run(async (kv) => {
      const entries = await Array.fromAsync(kv.list<TicketKey>({ prefix: ["ticket_keys"] }));
      return entries.map(({ value }) => value);
    });
  }

  async addKey(key: TicketKey, forgetAt: number): Promise<void> {
    const expireIn = this.#until(forgetAt);
    await this.#kv.run((kv) => kv.set(["ticket_keys", key.id], key, { expireIn }));
  }

  async use(id: string, forgetAt: number): Promise<boolean> {
    const key = ["tickets_used", id];
    const expireIn = this.#until(forgetAt);
    const { ok } = await this.#kv.run((kv) =>
      kv.atomic().check({ key, versionstamp: null }).set(key, null, { expireIn }).commit()
    );
    return ok;
  }

  #until(time: number): number {
    return Math.max(1, Math.ceil(time - this.#clock.now()));
  }
}
