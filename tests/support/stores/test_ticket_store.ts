import assert from "node:assert/strict";
import type { KvTicketStore } from "../../../lib/auth/tickets/kv_ticket_store.ts";
import {
  type CreateTestStore,
  defineStoreTests,
} from "../../../lib/testing/stores/define_store_tests.ts";
import type { SuiteOptions } from "../../../lib/testing/bed.ts";

/** Defines the tests that every {@linkcode KvTicketStore} passes, with `node:test`. */
export function testTicketStore(
  name: string,
  create: CreateTestStore<KvTicketStore>,
  options: SuiteOptions = {},
): void {
  const it = defineStoreTests(name, create, options);

  it("use() lets exactly one of many use a ticket", async (store, clock) => {
    const forgetAt = clock.now() + 60_000;
    const uses = await Promise.all(
      Array.from({ length: 50 }, (_, n) => store.use(`t${n % 5}`, forgetAt)),
    );
    assert.equal(uses.filter(Boolean).length, 5);
  });

  it("use() refuses a used ticket later", async (store, clock) => {
    assert.equal(await store.use("t", clock.now() + 60_000), true);
    await clock.advance(1_000);
    assert.equal(await store.use("t", clock.now() + 60_000), false);
  });

  it("keys() returns all keys that addKey() stored", async (store, clock) => {
    const keys = [1, 2].map((n) => ({
      id: `k${n}`,
      secret: new Uint8Array(32).fill(n),
      createdAt: n,
    }));
    for (const key of keys) await store.addKey(key, clock.now() + 60_000);
    const stored = (await store.keys()).toSorted((a, b) => a.createdAt - b.createdAt);
    assert.deepEqual(stored, keys);
  });
}
