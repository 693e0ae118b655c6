import assert from "node:assert/strict";
import { test } from "node:test";
import { DenoKeyValue } from "../../lib/kv/deno/mod.ts";
import { FakeClock } from "../../lib/testing/mod.ts";

const pauses: number[] = [];
const pause = (ms: number) => Promise.resolve(void pauses.push(ms));
const locked = new TypeError("database is locked");

/** A database whose reads a test decides. */
function fakeKv(getMany: (keys: Deno.KvKey[]) => Promise<unknown>): Deno.Kv {
  return { getMany } as unknown as Deno.Kv;
}

function results(keys: Deno.KvKey[]) {
  return keys.map((key) => ({ key, value: key.at(-1), versionstamp: "1" }));
}

test("DenoKeyValue retries while the database is locked", async () => {
  let calls = 0;
  const source = fakeKv((keys) =>
    ++calls < 5 ? Promise.reject(locked) : Promise.resolve(results(keys))
  );
  const clock = new FakeClock();
  const kv = new DenoKeyValue(source, { clock, pause });
  assert.equal((await kv.get(["a", 1])).value, 1);
  assert.equal(calls, 5);
  assert.equal(pauses.length, 4);
  assert.ok(pauses.every((ms) => ms >= 0 && ms <= 256));
  assert.equal(clock.pending, 0);
});

test("DenoKeyValue stops retrying when its time limit has passed", async () => {
  const clock = new FakeClock();
  let calls = 0;
  const source = fakeKv(() => {
    calls++;
    return Promise.reject(locked);
  });
  const kv = new DenoKeyValue(source, { clock, timeoutMs: 100, pause: () => clock.advance(10) });
  await assert.rejects(kv.getMany([["a"]]), { code: "UNAVAILABLE" });
  const late = calls;
  await clock.advance(1_000);
  assert.equal(calls, late);
});

test("DenoKeyValue does not retry other errors", async () => {
  let calls = 0;
  const source = fakeKv(() => {
    calls++;
    return Promise.reject(new Error("disk full"));
  });
  await assert.rejects(new DenoKeyValue(source).get(["a"]), (error: Error) => {
    assert.match((error.cause as Error).message, /disk full/);
    return "code" in error && error.code === "UNAVAILABLE";
  });
  assert.equal(calls, 1);
});

test("DenoKeyValue rejects when the database does not answer in time", async () => {
  const clock = new FakeClock();
  const kv = new DenoKeyValue(fakeKv(() => new Promise(() => {})), { clock, timeoutMs: 5_000 });
  const outcome = assert.rejects(kv.get(["a"]), /did not answer within 5000 ms/);
  await clock.advance(5_000);
  await outcome;
  assert.equal(clock.pending, 0);
});

test("DenoKeyValue opens the database at its first use, once", async () => {
  let opened = 0;
  await using kv = new DenoKeyValue(() => {
    opened++;
    return Deno.openKv(":memory:");
  });
  assert.equal(opened, 0);
  await Promise.all([kv.get(["a"]), kv.set(["b"], 1), kv.list({ prefix: [] })]);
  assert.equal(opened, 1);
});

test("DenoKeyValue works as soon as a database that was down can be opened", async () => {
  let isDown = true;
  await using kv = new DenoKeyValue(() =>
    isDown ? Promise.reject(new Error("connection refused")) : Deno.openKv(":memory:")
  );
  await assert.rejects(kv.get(["a"]), { code: "UNAVAILABLE" });
  isDown = false;
  assert.equal((await kv.get(["a"])).version, null);
});

test("DenoKeyValue.close() leaves a database open that it did not open", async () => {
  using source = await Deno.openKv(":memory:");
  await new DenoKeyValue(source).close();
  assert.equal((await source.get(["a"])).versionstamp, null);
});

test("DenoKeyValue hears other processes if the database can be watched", async () => {
  using source = await Deno.openKv(":memory:");
  await using here = new DenoKeyValue(source, { watch: true });
  await using there = new DenoKeyValue(source, { watch: true });
  const heard = Promise.withResolvers<void>();
  here.onChange("topic", heard.resolve);
  await there.atomic().set(["a"], 1).notify("topic").commit();
  await heard.promise;
});
