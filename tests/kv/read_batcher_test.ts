import assert from "node:assert/strict";
import { test } from "node:test";
import type { KvKey, KvResult } from "../../lib/kv/mod.ts";
import { ReadBatcher } from "../../lib/kv/read_batcher.ts";
import { settle } from "../../lib/testing/mod.ts";

/** A sent batch that a test answers. */
interface Reading {
  readonly keys: readonly KvKey[];
  answer(): void;
  fail(error: Error): void;
}

function setUp() {
  const readings: Reading[] = [];
  const reads = new ReadBatcher(async (keys, sent) => {
    await sent;
    const { promise, resolve, reject } = Promise.withResolvers<KvResult[]>();
    const answer = () =>
      resolve(keys.map((key) => ({ key, value: key.at(-1), version: "1" }) as KvResult));
    readings.push({ keys: [...keys], answer, fail: reject });
    return await promise;
  }, 10);
  const ask = (count: number, from = 0) =>
    Array.from({ length: count }, async (_, n) => (await reads.get(["n", from + n])).value);
  const sizes = () => readings.map(({ keys }) => keys.length);
  return { readings, ask, sizes };
}

test("ReadBatcher.get() reads the keys of one turn in one batch", async () => {
  const { readings, ask, sizes } = setUp();
  const asked = ask(4);
  await settle();
  assert.deepEqual(sizes(), [4]);
  readings[0]!.answer();
  assert.deepEqual(await Promise.all(asked), [0, 1, 2, 3]);
});

test("ReadBatcher.get() batches later keys until the current batch returns", async () => {
  const { readings, ask, sizes } = setUp();
  const first = ask(1);
  await settle();
  const second = [...ask(3, 10), ...ask(2, 20)];
  await settle();
  assert.deepEqual(sizes(), [1]);
  readings[0]!.answer();
  await Promise.all(first);
  await settle();
  assert.deepEqual(sizes(), [1, 5]);
  readings[1]!.answer();
  assert.deepEqual(await Promise.all(second), [10, 11, 12, 20, 21]);
});

test("ReadBatcher.get() sends a full batch without waiting", async () => {
  const { readings, ask, sizes } = setUp();
  const asked = ask(25);
  await settle();
  assert.deepEqual(sizes(), [10, 10]);
  for (const reading of readings) reading.answer();
  await settle();
  assert.deepEqual(sizes(), [10, 10, 5]);
  readings[2]!.answer();
  assert.deepEqual(await Promise.all(asked), Array.from({ length: 25 }, (_, n) => n));
});

test("ReadBatcher.get() joins no batch already sent, which may predate a write", async () => {
  const { readings, ask, sizes } = setUp();
  const before = ask(1);
  await settle();
  const after = ask(1);
  readings[0]!.answer();
  await Promise.all(before);
  await settle();
  assert.deepEqual(sizes(), [1, 1]);
  readings[1]!.answer();
  await Promise.all(after);
});

test("ReadBatcher.get() rejects exactly the reads of a failed batch", async () => {
  const { readings, ask } = setUp();
  const failing = Promise.allSettled(ask(2));
  await settle();
  const later = ask(2, 10);
  readings[0]!.fail(new Error("away"));
  assert.deepEqual((await failing).map(({ status }) => status), ["rejected", "rejected"]);
  await settle();
  readings[1]!.answer();
  assert.deepEqual(await Promise.all(later), [10, 11]);
});

test("ReadBatcher.get() joins the next batch until the end of the turn in which one returned", async () => {
  const sent: number[] = [];
  let endTurn = () => {};
  const answers: (() => void)[] = [];
  const reads = new ReadBatcher(
    async (keys, isSent) => {
      await isSent;
      sent.push(keys.length);
      await new Promise<void>((resolve) => answers.push(resolve));
      return keys.map((key) => ({ key, value: key.at(-1), version: "1" }) as KvResult);
    },
    10,
    (callback) => endTurn = callback,
  );
  const first = reads.get(["n", 1]);
  endTurn();
  await settle();
  const second = reads.get(["n", 2]); // While the first batch is being read.
  answers[0]!();
  // A read that follows from the first one, as that of a user follows from its session.
  const third = first.then(() => reads.get(["n", 3]));
  await settle();
  assert.deepEqual(sent, [1]);
  endTurn();
  await settle();
  assert.deepEqual(sent, [1, 2]);
  answers[1]!();
  assert.deepEqual((await Promise.all([second, third])).map(({ value }) => value), [2, 3]);
});
