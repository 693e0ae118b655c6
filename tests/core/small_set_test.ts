import { test } from "node:test";
import assert from "node:assert/strict";
import { SmallSet } from "../../lib/core/small_set.ts";

test("SmallSet is a set, whether it is small or large", () => {
  for (const count of [1, 8, 9, 100]) {
    const set = new SmallSet<string>();
    const names = Array.from({ length: count }, (_, index) => `group.${index}`);
    for (const name of [...names, ...names]) set.add(name);
    assert.equal(set.size, count);
    assert.deepEqual([...set], names);
    set.delete("group.0");
    set.delete("nobody");
    assert.deepEqual([set.has("group.0"), set.size], [false, count - 1]);
    for (const name of names) set.delete(name);
    assert.deepEqual([set.size, [...set]], [0, []]);
  }
});

test("SmallSet can be changed during iteration", () => {
  const set = new SmallSet<string>();
  for (const name of ["a", "b", "c"]) set.add(name);
  const seen: string[] = [];
  for (const name of set) {
    seen.push(name);
    set.delete(name);
  }
  assert.deepEqual([seen, set.size], [["a", "b", "c"], 0]);
});
