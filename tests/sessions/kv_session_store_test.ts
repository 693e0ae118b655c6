import assert from "node:assert/strict";
import { test } from "node:test";
import { KvSessionStore } from "../../lib/sessions/kv_session_store.ts";
import { FakeClock } from "../../lib/testing/fake_clock.ts";
import { record } from "../../lib/testing/stores/test_session_store.ts";
import { listAll, MemoryKeyValue } from "../../lib/kv/mod.ts";

test("KvSessionStore stores only the hash of a secret", async () => {
  await using kv = new MemoryKeyValue();
  await new KvSessionStore(kv, { clock: new FakeClock() }).create(record("s1"));
  const keys: unknown[] = [];
  for await (const entry of listAll(kv, { prefix: [] })) keys.push(entry.key);
  assert.deepEqual(keys, [["sessions", "s1"], ["sessions_by_user", "ada", "s1"]]);
});
