import assert from "node:assert/strict";
import { test } from "node:test";
import { MemorySessionStore } from "../../lib/sessions/mod.ts";
import { FakeClock } from "../../lib/testing/fake_clock.ts";
import { record, testSessionStore } from "../../lib/testing/stores/test_session_store.ts";

testSessionStore("MemorySessionStore", (clock) => new MemorySessionStore({ clock }));

test("MemorySessionStore.create() deletes sessions past forgetAt", async () => {
  const clock = new FakeClock();
  const store = new MemorySessionStore({ clock });
  await store.create(record("old", { forgetAt: clock.now() + 1000 }));
  await clock.advance(61_000);
  await store.create(record("new"));
  assert.equal(await store.get("old"), undefined);
  assert.deepEqual((await store.list("ada")).map((found) => found.id), ["new"]);
});
