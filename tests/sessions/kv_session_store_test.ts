import assert from "node:assert/strict";
import { test } from "node:test";
import { KvSessionStore } from "../../lib/sessions/mod.ts";
import { FakeClock } from "./fake_clock.ts";
import { record, testSessionStore } from "./session_store_suite.ts";

testSessionStore("KvSessionStore", async (clock) => {
  const kv = await Deno.openKv(":memory:");
  return {
    store: new KvSessionStore(kv, { clock }),
    [Symbol.asyncDispose]: () => Promise.resolve(kv.close()),
  };
});

test("KvSessionStore opens the database at its first use, once for all stores", async () => {
  let opened = 0;
  const kvs: Deno.Kv[] = [];
  const open = async () => {
    opened++;
    const kv = await Deno.openKv(":memory:");
    kvs.push(kv);
    return kv;
  };
  const stores = [new KvSessionStore(open), new KvSessionStore(open)];
  assert.equal(opened, 0);
  await Promise.all(stores.map((store) => store.get("s1")));
  assert.equal(opened, 1);
  for (const kv of kvs) kv.close();
});

test("KvSessionStore works as soon as a database that was down can be opened", async () => {
  using kv = await Deno.openKv(":memory:");
  let down = true;
  const store = new KvSessionStore(() =>
    down ? Promise.reject(new Error("connection refused")) : Promise.resolve(kv)
  );
  await assert.rejects(store.get("s1"), /connection refused/);
  down = false;
  assert.equal(await store.get("s1"), undefined);
});

test("KvSessionStore stores only the hash of a secret", async () => {
  using kv = await Deno.openKv(":memory:");
  await new KvSessionStore(kv, { clock: new FakeClock() }).create(record("s1"));
  const keys: unknown[] = [];
  for await (const entry of kv.list({ prefix: [] })) keys.push(entry.key);
  assert.deepEqual(keys, [["sessions", "s1"], ["sessions_by_user", "ada", "s1"]]);
});
