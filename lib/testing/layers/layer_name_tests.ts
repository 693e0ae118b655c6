import assert from "node:assert/strict";
import type { DefineLayerTest } from "./layer_bed.ts";

const HELLO = { type: "hello" };
const BAD_CHANNELS = [
  "",
  "!a",
  "a b",
  "ä",
  "a!b!c",
  "x".repeat(101),
  "a/b",
  "a\n",
  "{a}",
  "a:b",
  "~a",
];
const BAD_GROUPS = ["", "a!b", "a b", "x".repeat(101), "{g}", "a*", "a\0", "~g"];

/** Section 1 of the specification: names. */
export function nameTests(test: DefineLayerTest): void {
  test("[S1] invalid channel names are refused with a TypeError", async (bed) => {
    const layer = await bed.open();
    for (const name of BAD_CHANNELS) {
      await assert.rejects(layer.send(name, HELLO), TypeError, name);
      await assert.rejects(layer.receive(name), TypeError, name);
      await assert.rejects(layer.groupAdd("g", name), TypeError, name);
      await assert.rejects(layer.groupDiscard("g", name), TypeError, name);
      assert.throws(() => layer.attach(name, { deliver: () => true }), TypeError, name);
    }
  });

  test("[S1] invalid group names are refused with a TypeError", async (bed) => {
    const layer = await bed.open();
    for (const name of BAD_GROUPS) {
      await assert.rejects(layer.groupAdd(name, "a"), TypeError, name);
      await assert.rejects(layer.groupSend(name, HELLO), TypeError, name);
      await assert.rejects(layer.groupDiscard(name, "a"), TypeError, name);
    }
  });

  test("[S1] names may have 100 characters and are case-sensitive", async (bed) => {
    const layer = await bed.open();
    const long = "x".repeat(100);
    await layer.groupAdd(long, long);
    assert.equal((await layer.groupSend(long, HELLO)).queued, 1);
    assert.equal((await layer.groupSend(long.toUpperCase(), HELLO)).queued, 0);
    assert.deepEqual(await bed.readAll(layer, long), ["hello"]);
  });

  test("[S2] newChannel() returns names that are unique in the whole system", async (bed) => {
    const [one, other] = [await bed.open(), await bed.open()];
    const names = [one.newChannel(), one.newChannel(), other.newChannel(), one.newChannel("mine")];
    assert.equal(new Set(names).size, 4);
    assert.match(names[0]!, /^specific\.[0-9a-f]{18}![0-9a-z]+$/);
    assert.match(names[3]!, /^mine\./);
    assert.throws(() => one.newChannel("not a name"), TypeError);
  });
}
