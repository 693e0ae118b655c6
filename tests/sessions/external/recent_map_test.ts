import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentMap } from "../../../lib/sessions/external/ended_sessions.ts";

test("RecentMap keeps at least the newest entries, and less than twice as many", () => {
  const map = new RecentMap<number>(10);
  for (let at = 0; at < 100; at++) {
    map.set(String(at), at);
    assert.ok(map.size < 20, `${map.size} entries`);
    for (let newest = Math.max(0, at - 9); newest <= at; newest++) {
      assert.equal(map.get(String(newest)), newest);
    }
  }
  assert.equal(map.get("0"), undefined);
});

test("RecentMap.set() makes an entry the newest again, and delete() removes it", () => {
  const map = new RecentMap<number>(3);
  for (const key of ["a", "b", "c", "a", "d", "e"]) map.set(key, key.charCodeAt(0));
  assert.deepEqual(["a", "b", "c", "d", "e"].map((key) => map.get(key)), [
    97,
    undefined,
    undefined,
    100,
    101,
  ]);
  map.delete("a");
  assert.equal(map.get("a"), undefined);
});

test("RecentMap.age() drops entries that were not set since the previous call", () => {
  const map = new RecentMap<number>(10);
  map.set("a", 1);
  map.set("b", 2);
  map.age();
  map.set("b", 3);
  assert.deepEqual([map.get("a"), map.get("b")], [1, 3]);
  map.age();
  assert.deepEqual([map.get("a"), map.get("b")], [undefined, 3]);
});
