import assert from "node:assert/strict";
import type { DevStore } from "../../../lib/auth/dev/mod.ts";
import {
  type CreateTestStore,
  defineStoreTests,
  type StoreTestOptions,
} from "../../../lib/testing/stores/define_store_tests.ts";

const EXPIRY = { expireInMs: 600_000 };

/** Defines the tests that every {@linkcode DevStore} passes, with `node:test`. */
export function testDevStore(
  name: string,
  create: CreateTestStore<DevStore>,
  options: StoreTestOptions = {},
): void {
  const it = defineStoreTests(name, create, options);

  it("get() returns what set() stored last", async (store) => {
    const grant = { kind: "Grant", openid: { scope: "openid profile" }, iat: 1, claims: [null] };
    await store.set("a", { kind: "Session" }, EXPIRY);
    await store.set("a", grant, EXPIRY);
    assert.deepEqual(await store.get("a"), grant);
  });

  it("get() returns undefined for an unknown key", async (store) => {
    assert.equal(await store.get("a"), undefined);
  });

  it("set() accepts a value that is about to expire", async (store) => {
    await store.set("a", 1, { expireInMs: 0 });
  });

  it("delete() removes a value and no other one", async (store) => {
    await store.set("a", 1, EXPIRY);
    await store.set("b", 2, EXPIRY);
    await store.delete("a");
    await store.delete("a");
    assert.deepEqual([await store.get("a"), await store.get("b")], [undefined, 2]);
  });
}
