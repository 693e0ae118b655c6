import assert from "node:assert/strict";
import { type KeyValue, type KvKey, listAll } from "../../kv/mod.ts";
import type { KvListOptions } from "../../kv/key_value.ts";
import type { DefineKeyValueTest } from "./key_value_bed.ts";

/** Section 3 of the specification. */
export function listTests(test: DefineKeyValueTest): void {
  test("[K5] a missing key has no value and no version", async (kv) => {
    assert.deepEqual(await kv.get(["a"]), { key: ["a"], value: undefined, version: null });
    await kv.set(["a"], null);
    assert.equal((await kv.get(["a"])).value, null);
    await kv.delete(["a"]);
    await kv.delete(["a"]);
    assert.equal((await kv.get(["a"])).version, null);
  });

  test("[K6] getMany() returns results in the order of its keys", async (kv) => {
    await fill(kv, 30);
    const numbers = [29, 3, 3, 100, ...Array.from({ length: 24 }, (_, index) => index)];
    const results = await kv.getMany<number>(numbers.map((number) => ["n", number]));
    assert.deepEqual(results.map(({ key }) => key[1]), numbers);
    assert.deepEqual(
      results.map(({ value }) => value),
      numbers.map((number) => number < 30 ? number : undefined),
    );
    assert.deepEqual(await kv.getMany([]), []);
  });

  test("[K6] concurrent reads of single keys get their own results", async (kv) => {
    await fill(kv, 30);
    const reads = Array.from({ length: 60 }, (_, index) => kv.get(["n", index % 35]));
    const values = (await Promise.all(reads)).map(({ value }) => value);
    const expected = Array.from({ length: 60 }, (_, index) => index % 35);
    assert.deepEqual(values, expected.map((number) => number < 30 ? number : undefined));
  });

  test("[K8] list() selects longer keys with the prefix", async (kv) => {
    for (const key of [["a"], ["a", 1], ["a", 1, "x"], ["a", "b"], ["aa"], ["b", 1], [1]]) {
      await kv.set(key, null);
    }
    assert.deepEqual(await keys(kv, ["a"]), [["a", "b"], ["a", 1], ["a", 1, "x"]]);
    assert.deepEqual(await keys(kv, ["a", 1]), [["a", 1, "x"]]);
    assert.deepEqual(await keys(kv, ["c"]), []);
    assert.equal((await keys(kv, [])).length, 7);
  });

  test("[K8] list() includes the start and excludes the end", async (kv) => {
    await fill(kv, 10);
    const range = { prefix: ["n"], start: ["n", 3], end: ["n", 6] };
    const numbers = async (options?: KvListOptions) =>
      (await kv.list(range, options)).entries.map(({ value }) => value);
    assert.deepEqual(await numbers(), [3, 4, 5]);
    assert.deepEqual(await numbers({ reverse: true }), [5, 4, 3]);
    assert.deepEqual(await numbers({ limit: 2 }), [3, 4]);
    const empty = await kv.list({ prefix: ["n"], start: ["n", 6], end: ["n", 3] });
    assert.deepEqual(empty.entries, []);
  });

  test("[K8] list() refuses wrong limits and bounds", async (kv) => {
    for (const limit of [0, -1, 1.5, 1_001, NaN]) {
      await assert.rejects(kv.list({ prefix: ["n"] }, { limit }), RangeError);
    }
    for (const bound of [["m", 1], ["n"], ["nn"]]) {
      await assert.rejects(kv.list({ prefix: ["n"], start: bound }), RangeError);
      await assert.rejects(kv.list({ prefix: ["n"], end: bound }), RangeError);
    }
  });

  test("[K8] a page has 100 entries, or up to 1,000", async (kv) => {
    await fill(kv, 1_100);
    assert.equal((await kv.list({ prefix: ["n"] })).entries.length, 100);
    const page = await kv.list({ prefix: ["n"] }, { limit: 1_000 });
    assert.deepEqual([page.entries.length, page.entries.at(-1)?.value], [1_000, 999]);
  });

  test("[K9] cursors continue in both directions", async (kv) => {
    await fill(kv, 25);
    for (const reverse of [false, true]) {
      const range = { prefix: ["n"], start: ["n", 2], end: ["n", 24] };
      const values = await Array.fromAsync(
        listAll(kv, range, { pageSize: 7, reverse }),
        ({ value }) => value,
      );
      const expected = Array.from({ length: 22 }, (_, index) => index + 2);
      assert.deepEqual(values, reverse ? expected.toReversed() : expected);
    }
    assert.equal((await kv.list({ prefix: ["n"] }, { limit: 26 })).cursor, undefined);
  });

  test("[K9] pages are steady while other entries change", async (kv) => {
    await fill(kv, 20);
    const range = { prefix: ["n"] };
    const first = await kv.list(range, { limit: 5 });
    await kv.set(["n", 0.5], "behind");
    await kv.delete(["n", 4]); // The last entry of the page.
    await kv.delete(["n", 1]);
    const rest = await kv.list(range, { cursor: first.cursor });
    assert.deepEqual(rest.entries.map(({ value }) => value), range20(5));
  });

  test("[K9] an invalid cursor is refused", async (kv) => {
    await fill(kv, 3);
    const { cursor } = await kv.list({ prefix: ["n"] }, { limit: 2 });
    await assert.rejects(kv.list({ prefix: ["m"] }, { cursor }), TypeError);
    for (const wrong of ["", "AAAA", "not a cursor", "💥"]) {
      await assert.rejects(kv.list({ prefix: ["n"] }, { cursor: wrong }), TypeError);
    }
  });
}

async function fill(kv: KeyValue, count: number): Promise<void> {
  for (let from = 0; from < count; from += 500) {
    const operation = kv.atomic();
    for (let n = from; n < Math.min(count, from + 500); n++) operation.set(["n", n], n);
    await operation.commit();
  }
}

async function keys(kv: KeyValue, prefix: KvKey): Promise<readonly KvKey[]> {
  return (await kv.list({ prefix })).entries.map(({ key }) => key);
}

function range20(from: number): number[] {
  return Array.from({ length: 20 - from }, (_, index) => from + index);
}
