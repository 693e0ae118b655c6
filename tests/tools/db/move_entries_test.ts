import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryKeyValue } from "@sluice/sluice/kv";
import { keyText } from "../../../lib/kv/format/key_codec.ts";
import { moveEntries } from "../../../tools/db/move_entries.ts";

/** Counts the entries of each commit. */
class CountingKeyValue extends MemoryKeyValue {
  readonly commits: number[] = [];

  protected override write(...[write]: Parameters<MemoryKeyValue["write"]>) {
    this.commits.push(write.mutations.length);
    return super.write(write);
  }
}

test("moveEntries() reads, asks for expiries and writes in batches of a limited size", async () => {
  await using from = new MemoryKeyValue();
  await using to = new CountingKeyValue();
  for (let n = 0; n < 1_234; n++) await from.set(["n", n], { n });
  await from.set(["socket_processes", "gone"], 1);
  const asked: number[] = [];
  const moved = await moveEntries(from, to, {
    read(keys) {
      asked.push(keys.length);
      // One entry has expired, and one expires later.
      const [first, second] = keys.map(keyText);
      return Promise.resolve(new Map([[first!, Date.now() - 1], [second!, Date.now() + 60_000]]));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
  assert.deepEqual(asked, [500, 500, 234]);
  assert.deepEqual([...moved], [["n", 1_234 - 3]]);
  assert.ok(to.commits.length > 6 && Math.max(...to.commits) <= 200, String(to.commits));
  assert.deepEqual((await to.get(["n", 777])).value, { n: 777 });
});

test("moveEntries() splits batches of large values", async () => {
  await using from = new MemoryKeyValue();
  await using to = new CountingKeyValue();
  for (let n = 0; n < 30; n++) await from.set(["n", n], "x".repeat(60_000));
  await moveEntries(from, to, {
    read: () => Promise.resolve(new Map()),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
  assert.ok(Math.max(...to.commits) <= 8, String(to.commits));
});
