import assert from "node:assert/strict";
import type { AuditEntry } from "../../../lib/auth/audit/audit_log.ts";
import type { KvAuditStore } from "../../../lib/auth/audit/kv_audit_store.ts";
import {
  type CreateTestStore,
  defineStoreTests,
} from "../../../lib/testing/stores/define_store_tests.ts";
import type { SuiteOptions } from "../../../lib/testing/bed.ts";

/** Defines the tests that every {@linkcode KvAuditStore} passes, with `node:test`. */
export function testAuditStore(
  name: string,
  create: CreateTestStore<KvAuditStore>,
  options: SuiteOptions = {},
): void {
  const it = defineStoreTests(name, create, options);

  it("list() returns the newest entries of a user first", async (store, clock) => {
    for (let code = 0; code < 20; code++) {
      await store.add(entry(code, clock.now()));
      if (code % 3 === 0) await clock.advance(1);
    }
    await store.add({ ...entry(99, clock.now()), userId: "u2" });
    assert.deepEqual(await codes(store), Array.from({ length: 20 }, (_, n) => 19 - n));
    assert.deepEqual(await codes(store, 3), [19, 18, 17]);
    assert.deepEqual(await store.list("unknown"), []);
  });

  it("add() loses nothing and keeps the order of one millisecond", async (store, clock) => {
    const at = clock.now();
    await Promise.all(Array.from({ length: 40 }, (_, code) => store.add(entry(code, at))));
    assert.deepEqual(await codes(store), Array.from({ length: 40 }, (_, n) => 39 - n));
  });

  it("add() with once stores one entry per name", async (store, clock) => {
    const at = clock.now();
    const added = [];
    for (let code = 0; code < 5; code++) {
      added.push(await store.add(entry(code, at), { once: "a" }));
    }
    assert.deepEqual(added, [true, false, false, false, false]);
    assert.equal(await store.add(entry(9, at), { once: "b" }), true);
    assert.deepEqual(await codes(store), [9, 0]);
  });
}

function entry(code: number, at: number): AuditEntry {
  return { kind: "refused", userId: "u1", code: `${code}`, at };
}

async function codes(store: KvAuditStore, limit = 100): Promise<number[]> {
  return (await store.list("u1", { limit })).map(({ code }) => Number(code));
}
