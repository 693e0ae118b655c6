import assert from "node:assert/strict";
import type { KvKey } from "../../kv/mod.ts";
import type { DefineKeyValueTest } from "./key_value_bed.ts";

/** Keys in their order. */
const ORDERED: readonly KvKey[] = [
  [""],
  ["", ""],
  ["", 0],
  ["\0"],
  ["\0", "a"],
  ["\0\0"],
  ["\u0001"],
  ["A"],
  ["a"],
  ["a", "b"],
  ["a", "b", "c"],
  ["a", -1e308],
  ["a", -2.5],
  ["a", -1],
  ["a", 0],
  ["a", 5e-324],
  ["a", 0.1],
  ["a", 1],
  ["a", 2],
  ["a", 10],
  ["a", 2 ** 53],
  ["a", 1e308],
  ["a\0"],
  ["a\0b"],
  ["a\u0001"],
  ["aa"],
  ["b"],
  ["é"],
  ["\uffff"],
  ["😀"],
  [-1],
  [0],
  [1, "x"],
  [2],
];

const INVALID: readonly [string, KvKey][] = [
  ["NaN", ["a", NaN]],
  ["Infinity", [Infinity]],
  ["a lone surrogate", ["\ud800"]],
  ["undefined", [undefined as unknown as string]],
  ["an object", [{} as unknown as string]],
  ["a boolean", [true as unknown as string]],
];

/** Section 1 of the specification. */
export function keyTests(test: DefineKeyValueTest): void {
  test("[K1] keys are distinct if their parts are", async (kv) => {
    for (const [index, key] of ORDERED.entries()) await kv.set(key, index);
    for (const [index, key] of ORDERED.entries()) {
      const entry = await kv.get(key);
      assert.deepEqual([entry.key, entry.value], [key, index]);
    }
  });

  test("[K1] -0 is the same part as 0", async (kv) => {
    await kv.set(["n", -0], "zero");
    assert.equal((await kv.get(["n", 0])).value, "zero");
    const { entries } = await kv.list({ prefix: ["n"] });
    assert.ok(Object.is(entries[0]?.key[1], 0));
  });

  test("[K1] invalid keys are refused by every call", async (kv) => {
    for (const [what, key] of INVALID) {
      await assert.rejects(kv.get(key), TypeError, what);
      await assert.rejects(kv.getMany([["a"], key]), TypeError, what);
      await assert.rejects(kv.list({ prefix: key }), TypeError, what);
      await assert.rejects(kv.set(key, 1), TypeError, what);
      await assert.rejects(kv.delete(key), TypeError, what);
      assert.throws(() => kv.atomic().check({ key, version: null }), TypeError, what);
    }
    await assert.rejects(kv.get([]), RangeError);
  });

  test("[K1] a key of 2,048 bytes is accepted, a larger one is refused", async (kv) => {
    const key = ["é".repeat(1_017), 1];
    await kv.set([...key, "x"], "longest");
    assert.equal((await kv.get([...key, "x"])).value, "longest");
    await assert.rejects(kv.set([...key, "xx"], 1), RangeError);
    await assert.rejects(kv.get([...key, "xx"]), RangeError);
  });

  test("[K2] list() returns keys in order", async (kv) => {
    const shuffled = ORDERED.map((key, index) => ({ key, rank: (index * 7) % ORDERED.length }))
      .sort((a, b) => a.rank - b.rank);
    for (const { key } of shuffled) await kv.set(key, null);
    const { entries } = await kv.list({ prefix: [] });
    assert.deepEqual(entries.map(({ key }) => key), ORDERED);
    const reverse = await kv.list({ prefix: [] }, { reverse: true });
    assert.deepEqual(reverse.entries.map(({ key }) => key), ORDERED.toReversed());
  });
}
