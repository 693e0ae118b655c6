import assert from "node:assert/strict";
import type { DeviceGrant } from "../../../lib/auth/device/device_grant.ts";
import type { KvDeviceGrantStore } from "../../../lib/auth/device/kv_device_grant_store.ts";
import {
  type CreateTestStore,
  defineStoreTests,
} from "../../../lib/testing/stores/define_store_tests.ts";
import type { SuiteOptions } from "../../../lib/testing/bed.ts";

/** Defines the tests that every {@linkcode KvDeviceGrantStore} passes, with `node:test`. */
export function testDeviceGrantStore(
  name: string,
  create: CreateTestStore<KvDeviceGrantStore>,
  options: SuiteOptions = {},
): void {
  const it = defineStoreTests(name, create, options);

  it("create() refuses a user code that is taken", async (store, clock) => {
    assert.equal(await store.create(grant("k1", clock.now())), true);
    assert.equal(await store.create(grant("k2", clock.now())), false);
    assert.equal((await store.findByUserCode("BCDF-GHJK"))?.key, "k1");
    assert.equal(await store.get("k2"), undefined);
  });

  it("update() changes a grant, one change after the other", async (store, clock) => {
    await store.create(grant("k1", clock.now()));
    const add = (found: DeviceGrant): DeviceGrant => ({ ...found, polledAt: found.polledAt + 1 });
    await Promise.all(Array.from({ length: 10 }, () => store.update("k1", add)));
    assert.equal((await store.get("k1"))?.polledAt, 10);
    assert.equal(await store.update("unknown", add), undefined);
  });

  it("update() removes a grant for exactly one caller", async (store, clock) => {
    await store.create(grant("k1", clock.now()));
    const removed = await Promise.all([1, 2, 3].map(() => store.update("k1", () => "remove")));
    assert.equal(removed.filter((found) => found !== undefined).length, 1);
    assert.equal(await store.findByUserCode("BCDF-GHJK"), undefined);
  });
}

function grant(key: string, now: number): DeviceGrant {
  return {
    key,
    userCode: "BCDF-GHJK",
    state: "waiting",
    userAgent: "test",
    address: undefined,
    expiresAt: now + 600_000,
    polledAt: 0,
  };
}
