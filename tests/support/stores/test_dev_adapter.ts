import assert from "node:assert/strict";
import type { DevAdapter } from "../../../lib/auth/dev/_adapter.ts";
import {
  type CreateTestStore,
  defineStoreTests,
} from "../../../lib/testing/stores/define_store_tests.ts";
import type { SuiteOptions } from "../../../lib/testing/bed.ts";

/** Defines the tests that a {@linkcode DevAdapter} passes over every driver, with `node:test`. */
export function testDevAdapter(
  name: string,
  create: CreateTestStore<DevAdapter>,
  options: SuiteOptions = {},
): void {
  const it = defineStoreTests(name, create, options);

  it("find() returns what upsert() stored last", async (adapter) => {
    const grant = { kind: "Grant", openid: { scope: "openid profile" }, iat: 1, claims: [null] };
    await adapter.upsert("a", { exp: 1 });
    await adapter.upsert("a", grant as { exp?: number });
    assert.deepEqual(await adapter.find("a"), grant);
  });

  it("find() and findByUid() return undefined for an unknown entry", async (adapter) => {
    assert.equal(await adapter.find("a"), undefined);
    assert.equal(await adapter.findByUid("a"), undefined);
  });

  it("upsert() accepts an entry that is about to expire", async (adapter) => {
    await adapter.upsert("a", {}, 0);
  });

  it("destroy() removes an entry and no other one", async (adapter) => {
    await adapter.upsert("a", { uid: "u" });
    await adapter.upsert("b", { exp: 2 });
    await adapter.destroy("a");
    await adapter.destroy("a");
    assert.deepEqual([await adapter.findByUid("u"), await adapter.find("b")], [undefined, {
      exp: 2,
    }]);
  });

  it("revokeByGrantId() hides the entries of a grant and of no other one", async (adapter) => {
    await adapter.upsert("a", { grantId: "g" });
    await adapter.upsert("b", { grantId: "h" });
    await adapter.revokeByGrantId("g");
    assert.equal(await adapter.find("a"), undefined);
    assert.deepEqual(await adapter.find("b"), { grantId: "h" });
  });
}
