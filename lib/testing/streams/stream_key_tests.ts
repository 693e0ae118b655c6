import assert from "node:assert/strict";
import { type DefineStreamTest, fill, keptOffsets } from "./stream_bed.ts";

/** Tests of keys: [H14] to [H16]. */
export function keyTests(define: DefineStreamTest): void {
  define("[H14] appends once per key, and returns the first reply", async (bed) => {
    const store = await bed.open();
    await fill(store, "room", 1);
    const first = await store.append("room", { type: "said", data: "a" }, {
      key: "k",
      reply: { id: "1" },
    });
    const again = await store.append("room", { type: "said", data: "b" }, {
      key: "k",
      reply: { id: "2" },
    });
    assert.deepEqual([first.offset, first.isRepeated, first.reply], [2, false, { id: "1" }]);
    assert.deepEqual(again, { ...first, isRepeated: true });
    assert.deepEqual(await store.find("room", "k"), { ...first, isRepeated: true });
    const { messages } = await store.read("room", { after: 1 });
    assert.deepEqual(messages.map(({ data }) => data), ["a"]);
  });

  define("[H14] appends once per key, even at the same time", async (bed) => {
    const store = await bed.open();
    const appends = Array.from({ length: 20 }, (_, index) => {
      return store.append("room", { type: "said" }, { key: `k${index % 4}`, reply: index });
    });
    const replies = (await Promise.all(appends)).map(({ reply }) => reply);
    assert.deepEqual(replies, Array.from({ length: 20 }, (_, index) => index % 4));
    assert.deepEqual(await keptOffsets(store, "room"), [1, 2, 3, 4]);
  });

  define("[H15] keeps the keys of streams apart, and does not find unknown ones", async (bed) => {
    const store = await bed.open();
    await store.append("a", { type: "said" }, { key: "k" });
    assert.equal(await store.find("a", "other"), undefined);
    assert.equal(await store.find("b", "k"), undefined);
    assert.equal((await store.append("b", { type: "said" }, { key: "k" })).isRepeated, false);
  });

  define("[H15] keeps keys when messages are trimmed and cleared", async (bed) => {
    const store = await bed.open({ maxMessages: 1 });
    await store.append("room", { type: "said" }, { key: "k", reply: 1 });
    await fill(store, "room", 3);
    await store.clear("room");
    const again = await store.append("room", { type: "said" }, { key: "k" });
    assert.deepEqual([again.isRepeated, again.reply], [true, 1]);
    assert.equal((await store.state("room")).offset, 0);
  });

  define("[H16] forgets a key after the window", async (bed) => {
    const store = await bed.open({ keyWindowMs: 300 });
    await store.append("room", { type: "said" }, { key: "k" });
    await bed.pass(100);
    assert.equal((await store.append("room", { type: "said" }, { key: "k" })).isRepeated, true);
    await bed.pass(250);
    assert.equal(await store.find("room", "k"), undefined);
    assert.equal((await store.append("room", { type: "said" }, { key: "k" })).isRepeated, false);
  });

  define("[H16] refuses keys without characters or with more than 512", async (bed) => {
    const store = await bed.open();
    for (const key of ["", "x".repeat(513)]) {
      await assert.rejects(store.append("room", { type: "said" }, { key }), TypeError);
      await assert.rejects(store.claim(key), TypeError);
    }
    await store.append("room", { type: "said" }, { key: "é\u0000 }{".padEnd(512, "x") });
  });
}

/** Tests of keys in several processes. */
export function processKeyTests(define: DefineStreamTest): void {
  define("[H14] appends once per key over all processes", async (bed) => {
    const stores = [await bed.open(), await bed.open(), await bed.open()];
    for (let round = 0; round < 5; round++) {
      const outcomes = await Promise.all(stores.map((store, index) => {
        return store.append("room", { type: "said" }, { key: `k${round}`, reply: index });
      }));
      assert.equal(outcomes.filter(({ isRepeated }) => !isRepeated).length, 1);
      assert.equal(new Set(outcomes.map(({ reply }) => reply)).size, 1);
      assert.equal(new Set(outcomes.map(({ offset }) => offset)).size, 1);
    }
    assert.deepEqual(await keptOffsets(stores[0]!, "room"), [1, 2, 3, 4, 5]);
  });
}
