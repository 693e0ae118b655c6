import { KvConnection, type KvSource } from "../../sessions/mod.ts";
import type { DevStore } from "./dev_store.ts";

/**
 * Keeps the sign-ins of a development identity provider in Deno KV, for all processes over one
 * database: `["dev_identity", key]`.
 *
 * @example
 * ```ts
 * import { KvDevStore } from "@sluice/sluice/auth/dev";
 * import assert from "node:assert/strict";
 *
 * using kv = await Deno.openKv(":memory:");
 * const store = new KvDevStore(kv);
 * await store.set("a", 1, { expireInMs: 60_000 });
 * assert.equal(await store.get("a"), 1);
 * ```
 */
export class KvDevStore implements DevStore {
  readonly #kv: KvConnection;

  /** @param source The database, or a function that opens it at first use. */
  constructor(source: KvSource) {
    this.#kv = new KvConnection(source);
  }

  async get(key: string): Promise<unknown> {
    const { value } = await this.#kv.run((kv) => kv.get(["dev_identity", key]));
    return value ?? undefined;
  }

  async set(
    key: string,
    value: unknown,
    { expireInMs }: { readonly expireInMs: number },
  ): Promise<void> {
    const expireIn = Math.max(1, Math.ceil(expireInMs));
    await this.#kv.run((kv) => kv.set(["dev_identity", key], value, { expireIn }));
  }

  async delete(key: string): Promise<void> {
    await this.#kv.run((kv) => kv.delete(["dev_identity", key]));
  }
}
