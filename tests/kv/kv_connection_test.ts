import assert from "node:assert/strict";
import { test } from "node:test";
import { KvConnection, KvSessionStore, type SessionRecord } from "../../lib/sessions/mod.ts";
import { FakeClock } from "../sessions/fake_clock.ts";
import { record } from "../sessions/session_store_suite.ts";

const kv = {} as Deno.Kv;
const pauses: number[] = [];
const pause = (ms: number) => Promise.resolve(void pauses.push(ms));
const locked = () => Promise.reject(new TypeError("database is locked"));

test("KvConnection.run() retries while the database is locked", async () => {
  const clock = new FakeClock();
  let calls = 0;
  const result = new KvConnection(kv, { clock, pause }).run(() =>
    ++calls < 5 ? locked() : Promise.resolve("done")
  );
  await clock.advance(1000);
  assert.equal(await result, "done");
  assert.equal(calls, 5);
  assert.equal(pauses.length, 4);
  assert.ok(pauses.every((ms) => ms >= 0 && ms <= 256));
  assert.equal(clock.timers, 0);
});

test("KvConnection.run() gives up after its number of attempts", async () => {
  const clock = new FakeClock();
  let calls = 0;
  const result = new KvConnection(kv, { clock, pause, attempts: 3 }).run(() => {
    calls++;
    return locked();
  });
  const outcome = assert.rejects(result, /database is locked/);
  await clock.advance(1000);
  await outcome;
  assert.equal(calls, 3);
});

test("KvConnection.run() does not retry other errors", async () => {
  let calls = 0;
  const result = new KvConnection(kv, { clock: new FakeClock() }).run(() => {
    calls++;
    return Promise.reject(new Error("disk full"));
  });
  await assert.rejects(result, /disk full/);
  assert.equal(calls, 1);
});

test("KvConnection.run() times out if the database does not answer", async () => {
  const clock = new FakeClock();
  const result = new KvConnection(kv, { clock, timeoutMs: 5000 }).run(() => new Promise(() => {}));
  const outcome = assert.rejects(result, /did not answer within 5000 ms/);
  await clock.advance(5000);
  await outcome;
});

test("KvConnection.run() succeeds when several handles write to one file", async () => {
  const directory = await Deno.makeTempDir();
  const handles = await Promise.all([1, 2].map(() => Deno.openKv(`${directory}/kv.sqlite3`)));
  try {
    const stores = handles.map((handle) => new KvSessionStore(handle));
    await stores[0]!.create(record("s1", { lastSeenAt: 0 }));
    const add = (found: SessionRecord) => ({ ...found, lastSeenAt: found.lastSeenAt + 1 });
    for (let round = 0; round < 10; round++) {
      await Promise.all(stores.map((store) => store.update("s1", add)));
    }
    assert.equal((await stores[1]!.get("s1"))?.lastSeenAt, 20);
  } finally {
    for (const handle of handles) handle.close();
    await Deno.remove(directory, { recursive: true });
  }
});
