import type { KeyValue } from "../../kv/mod.ts";
import type { DevStore } from "./dev_store.ts";

/**
 * Keeps the sign-ins of a development identity provider in a database, for all processes that share
 * it: `["dev_identity", key]`.
 *
 * @example
 * ```ts
 * import { KvDevStore } from "@sluice/sluice/auth/dev";
 * import { MemoryKeyValue } from "@sluice/sluice/kv";
 * import assert from "node:assert/strict";
 *
 * await using kv = new MemoryKeyValue();
 * const store = new KvDevStore(kv);
 * await store.set("a", 1, { expireInMs: 60_000 });
 * assert.equal(await store.get("a"), 1);
 * ```
 */
export class KvDevStore implements DevStore {
  readonly #kv: KeyValue;

  /**
   * Creates a store over a database.
   *
   * @param kv The database.
   */
  constructor(kv: KeyValue) {
    this.#kv = kv;
  }

  async get(key: string): Promise<unknown> {
    return (await this.#kv.get(["dev_identity", key])).value;
  }

  async set(
    key: string,
    value: unknown,
    { expireInMs }: { readonly expireInMs: number },
  ): Promise<void> {
    await this.#kv.set(["dev_identity", key], value, { expireInMs: Math.max(1, expireInMs) });
  }

  /** Deletes a value, if it is there. */
  async delete(key: string): Promise<void> {
    await this.#kv.delete(["dev_identity", key]);
  }
}
