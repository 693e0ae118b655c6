import assert from "node:assert/strict";
import type { SessionRecord, SessionStore } from "../../sessions/mod.ts";
import type { FakeClock } from "../fake_clock.ts";
import type { SuiteOptions } from "../bed.ts";
import { defineStoreTests } from "./define_store_tests.ts";

/**
 * Defines the tests that every {@linkcode SessionStore} passes, with `node:test`. `create` returns an empty
 * store, which uses the clock for its own times.
 *
 * @example
 * ```ts ignore
 * import { MemorySessionStore } from "@sluice/sluice/sessions";
 * import { testSessionStore } from "@sluice/sluice/testing";
 *
 * testSessionStore("MemorySessionStore", (clock) => new MemorySessionStore({ clock }));
 * ```
 */
export function testSessionStore(
  name: string,
  create: (clock: FakeClock) => SessionStore | Promise<SessionStore>,
  options: SuiteOptions = {},
): void {
  const it = defineStoreTests(name, create, options);

  it("get() returns what create() stored", async (store) => {
    await store.create(record("s1"));
    assert.deepEqual(await store.get("s1"), record("s1"));
  });

  it("getMany() returns sessions in the order of the ids, undefined for unknown ones", async (store) => {
    const ids = Array.from({ length: 25 }, (_, n) => `s${n}`);
    for (const id of ids.filter((_, n) => n % 2 === 0)) await store.create(record(id));
    const found = await store.getMany(ids);
    assert.deepEqual(found.map((each) => each?.id), ids.map((id, n) => n % 2 ? undefined : id));
  });

  it("get() returns undefined for an unknown id", async (store) => {
    assert.equal(await store.get("s1"), undefined);
  });

  it("create() refuses a taken id, and changes nothing", async (store) => {
    await store.create(record("s1", { userId: "ada" }));
    await assert.rejects(store.create(record("s1", { userId: "eve" })), /id is taken/);
    assert.equal((await store.get("s1"))?.userId, "ada");
    assert.deepEqual(await store.list("eve"), []);
  });

  it("create() succeeds for one of two racing calls", async (store) => {
    const outcomes = await Promise.allSettled([
      store.create(record("s1", { userId: "ada" })),
      store.create(record("s1", { userId: "eve" })),
    ]);
    assert.equal(outcomes.filter((outcome) => outcome.status === "fulfilled").length, 1);
  });

  it("update() stores and returns the changed session", async (store) => {
    await store.create(record("s1"));
    const updated = await store.update("s1", (found) => ({ ...found, lastSeenAt: 7 }));
    assert.equal(updated?.lastSeenAt, 7);
    assert.equal((await store.get("s1"))?.lastSeenAt, 7);
  });

  it("update() changes nothing if the change returns undefined", async (store) => {
    await store.create(record("s1"));
    assert.equal(await store.update("s1", () => undefined), undefined);
    assert.deepEqual(await store.get("s1"), record("s1"));
  });

  it("update() returns an unchanged session without a write", async (store) => {
    await store.create(record("s1"));
    assert.deepEqual(await store.update("s1", (found) => found), record("s1"));
  });

  it("update() does not restore a deleted session", async (store) => {
    await store.create(record("s1"));
    await Promise.all([
      store.delete("s1"),
      store.update("s1", (found) => ({ ...found, lastSeenAt: 7 })),
    ]);
    assert.equal(await store.get("s1"), undefined);
    assert.equal(await store.update("s1", (found) => found), undefined);
    assert.deepEqual(await store.list("ada"), []);
  });

  it("update() loses none of several concurrent changes", async (store) => {
    await store.create(record("s1", { lastSeenAt: 0 }));
    await Promise.all(
      Array.from(
        { length: 8 },
        () => store.update("s1", (found) => ({ ...found, lastSeenAt: found.lastSeenAt + 1 })),
      ),
    );
    assert.equal((await store.get("s1"))?.lastSeenAt, 8);
  });

  it("delete() returns the deleted session, once", async (store) => {
    await store.create(record("s1"));
    const deleted = await Promise.all([store.delete("s1"), store.delete("s1")]);
    assert.equal(deleted.filter((found) => found !== undefined).length, 1);
    assert.deepEqual(deleted.find((found) => found !== undefined), record("s1"));
  });

  it("list() returns only a user's own sessions, oldest first", async (store) => {
    for (let at = 0; at < 25; at++) {
      await store.create(record(`s${at}`, { createdAt: 1000 - at }));
    }
    await store.create(record("other", { userId: "adamant" }));
    const ids = (await store.list("ada")).map((found) => found.id);
    assert.deepEqual(ids, Array.from({ length: 25 }, (_, at) => `s${24 - at}`));
  });

  it("addTagKey() keeps the first key of a period for all callers", async (store, clock) => {
    const forgetAt = clock.now() + 1_000_000;
    const key = (byte: number) => ({ period: 7, secret: new Uint8Array(32).fill(byte) });
    const kept = await Promise.all([1, 2, 3].map((byte) => store.addTagKey(key(byte), forgetAt)));
    assert.equal(new Set(kept.map(String)).size, 1);
    const { keys, untaggedSince } = await store.tagKeys();
    assert.deepEqual(keys.map(({ period, secret }) => [period, String(secret)]), [
      [7, String(kept[0])],
    ]);
    assert.equal(untaggedSince, undefined, "it had no session before");
  });

  it("get() returns a session until forgetAt", async (store, clock) => {
    await store.create(record("s1", { forgetAt: clock.now() + 120_000 }));
    await clock.advance(119_000);
    await store.create(record("s2"));
    assert.equal((await store.get("s1"))?.id, "s1");
  });
}

/** Returns a session record with the given changes. */
export function record(id: string, differences: Partial<SessionRecord> = {}): SessionRecord {
  return {
    id,
    userId: "ada",
    provider: "dev",
    createdAt: 1,
    lastSeenAt: 1,
    userAgent: "test",
    address: "192.0.2.1",
    secretHash: "hash",
    forgetAt: 4_000_000_000_000,
    ...differences,
  };
}
