import assert from "node:assert/strict";
import { test } from "node:test";
import { KvUserStore } from "../../lib/auth/mod.ts";
import { KvReads, KvSessionStore } from "../../lib/sessions/mod.ts";
import { FakeClock, settled } from "../sessions/fake_clock.ts";
import { record } from "../sessions/session_store_suite.ts";

/** A `getMany` that a test answers. */
interface Reading {
  readonly keys: readonly Deno.KvKey[];
  answer(): void;
  fail(error: Error): void;
}

/** A database that returns the last part of each key as its value. */
class FakeKv {
  readonly readings: Reading[] = [];

  getMany(keys: readonly Deno.KvKey[]): Promise<{ value: unknown }[]> {
    const { promise, resolve, reject } = Promise.withResolvers<{ value: unknown }[]>();
    const answer = () => resolve(keys.map((key) => ({ value: key.at(-1) })));
    this.readings.push({ keys: [...keys], answer, fail: reject });
    return promise;
  }

  /** The number of keys of each read. */
  get sizes(): number[] {
    return this.readings.map(({ keys }) => keys.length);
  }
}

function setUp() {
  const kv = new FakeKv();
  const clock = new FakeClock();
  const pause = () => Promise.resolve();
  const reads = new KvReads(kv as unknown as Deno.Kv, { clock, timeoutMs: 5_000, pause });
  const ask = (count: number, from = 0) =>
    Array.from({ length: count }, (_, n) => reads.get<number>(["numbers", from + n]));
  return { kv, clock, reads, ask };
}

const locked = new TypeError("database is locked");

test("KvReads.get() reads the keys of one turn in one batch", async () => {
  const { kv, ask } = setUp();
  const asked = ask(4);
  await settled();
  assert.deepEqual(kv.sizes, [4]);
  kv.readings[0]!.answer();
  assert.deepEqual(await Promise.all(asked), [0, 1, 2, 3]);
});

test("KvReads.get() batches later keys until the current batch returns", async () => {
  const { kv, ask } = setUp();
  const first = ask(1);
  await settled();
  const second = [...ask(3, 10), ...ask(2, 20)];
  await settled();
  assert.deepEqual(kv.sizes, [1]);
  kv.readings[0]!.answer();
  await Promise.all(first);
  await settled();
  assert.deepEqual(kv.sizes, [1, 5]);
  kv.readings[1]!.answer();
  assert.deepEqual(await Promise.all(second), [10, 11, 12, 20, 21]);
});

test("KvReads.get() reads at most ten keys at once, and sends ten without waiting", async () => {
  const { kv, ask } = setUp();
  const asked = ask(37);
  await settled();
  assert.deepEqual(kv.sizes, [10, 10, 10]);
  for (const reading of kv.readings) reading.answer();
  await settled();
  assert.deepEqual(kv.sizes, [10, 10, 10, 7]);
  kv.readings[3]!.answer();
  assert.deepEqual(await Promise.all(asked), Array.from({ length: 37 }, (_, n) => n));
});

test("KvReads.get() joins no batch already sent, which may predate a write", async () => {
  const { kv, reads } = setUp();
  const before = reads.get(["numbers", 1]);
  await settled();
  const after = reads.get(["numbers", 1]);
  kv.readings[0]!.answer();
  await before;
  await settled();
  assert.equal(kv.readings.length, 2);
  kv.readings[1]!.answer();
  await after;
});

test("KvReads.get() rejects exactly the reads of a failed batch", async () => {
  const { kv, ask } = setUp();
  const failing = ask(3).map((asked) => assert.rejects(asked, /disk full/));
  await settled();
  const others = ask(2, 10);
  kv.readings[0]!.fail(new Error("disk full"));
  await Promise.all(failing);
  await settled();
  kv.readings[1]!.answer();
  assert.deepEqual(await Promise.all(others), [10, 11]);
});

test("KvReads.get() retries while the database is locked", async () => {
  const { kv, ask } = setUp();
  const asked = ask(3);
  await settled();
  kv.readings[0]!.fail(locked);
  await settled();
  kv.readings[1]!.answer();
  assert.deepEqual(await Promise.all(asked), [0, 1, 2]);
  assert.deepEqual(kv.sizes, [3, 3]);
});

test("KvReads.get() waits at most for its limit, even behind a hanging batch", async () => {
  const { kv, clock, ask } = setUp();
  const hanging = assert.rejects(ask(1)[0]!, /did not answer within 5000 ms/);
  await clock.advance(3_000);
  const waiting = assert.rejects(ask(1, 10)[0]!, /did not answer within 5000 ms/);
  await clock.advance(2_000);
  await hanging;
  // The waiting batch is sent now; its time limit started with the request.
  await settled();
  assert.deepEqual(kv.sizes, [1, 1]);
  await clock.advance(3_000);
  await waiting;
  const later = ask(2, 20);
  await settled();
  kv.readings.at(-1)!.answer();
  assert.deepEqual(await Promise.all(later), [20, 21]);
  assert.equal(clock.timers, 0);
});

test("KvReads batches sessions and users of one database", async () => {
  using kv = await Deno.openKv(":memory:");
  let readings = 0;
  const getMany = kv.getMany.bind(kv);
  kv.getMany = ((keys: Deno.KvKey[]) => (readings++, getMany(keys))) as typeof kv.getMany;
  const [sessions, users] = [new KvSessionStore(kv), new KvUserStore(kv)];
  await sessions.create(record("s1"));
  const profile = {
    provider: "dev",
    subject: "1",
    login: "ada",
    name: "Ada",
    avatarUrl: undefined,
  };
  const ada = await users.save(profile);
  const found = await Promise.all([
    sessions.get("s1"),
    users.get(ada.id),
    sessions.get(ada.id),
    users.get("s1"),
  ]);
  assert.deepEqual(found, [record("s1"), ada, undefined, undefined]);
  assert.equal(readings, 1);
});
