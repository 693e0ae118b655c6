import assert from "node:assert/strict";
import { type DefineStreamTest, fill } from "./stream_bed.ts";
import type { StreamPage } from "../../streams/stream_store.ts";

/** Tests of reads: [H7] to [H9]. */
export function readTests(define: DefineStreamTest): void {
  define("[H7] reads the messages after an offset, oldest first", async (bed) => {
    const store = await bed.open();
    await fill(store, "room", 10);
    const page = await store.read("room", { after: 3, limit: 4 });
    assert.deepEqual(offsetsOf(page), [4, 5, 6, 7]);
    assert.deepEqual([page.first, page.offset, page.more], [1, 10, true]);
    const rest = await store.read("room", { after: 7, limit: 4 });
    assert.deepEqual([offsetsOf(rest), rest.more], [[8, 9, 10], false]);
    const end = await store.read("room", { after: 10 });
    assert.deepEqual([offsetsOf(end), end.more], [[], false]);
    const beyond = await store.read("room", { after: 99 });
    assert.deepEqual([offsetsOf(beyond), beyond.more], [[], false]);
  });

  define("[H8] reads the messages before an offset, and the newest, oldest first", async (bed) => {
    const store = await bed.open();
    await fill(store, "room", 10);
    const page = await store.read("room", { before: 8, limit: 3 });
    assert.deepEqual([offsetsOf(page), page.more], [[5, 6, 7], true]);
    const oldest = await store.read("room", { before: 3, limit: 3 });
    assert.deepEqual([offsetsOf(oldest), oldest.more], [[1, 2], false]);
    const none = await store.read("room", { before: 1 });
    assert.deepEqual([offsetsOf(none), none.more], [[], false]);
    const newest = await store.read("room", { limit: 2 });
    assert.deepEqual([offsetsOf(newest), newest.more], [[9, 10], true]);
    const all = await store.read("room", { before: 99 });
    assert.deepEqual([offsetsOf(all).length, all.more], [10, false]);
  });

  define("[H9] reads up to a number of bytes, and at least one message", async (bed) => {
    const store = await bed.open();
    for (let number = 0; number < 4; number++) {
      await store.append("room", { type: "said", data: "x".repeat(1_000) });
    }
    const page = await store.read("room", { after: 0, maxBytes: 2_100 });
    assert.deepEqual([offsetsOf(page), page.more], [[1, 2], true]);
    const newest = await store.read("room", { maxBytes: 2_100 });
    assert.deepEqual([offsetsOf(newest), newest.more], [[3, 4], true]);
    assert.deepEqual(offsetsOf(await store.read("room", { after: 1, maxBytes: 1 })), [2]);
    assert.deepEqual(offsetsOf(await store.read("room", { maxBytes: 1 })), [4]);
  });

  define("[H9] refuses numbers that are out of range", async (bed) => {
    const store = await bed.open();
    for (const limit of [0, 501, 1.5, NaN, -1]) {
      await assert.rejects(store.read("room", { limit }), RangeError);
    }
    for (const offset of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
      await assert.rejects(store.read("room", { after: offset }), RangeError);
      await assert.rejects(store.read("room", { before: offset }), RangeError);
    }
    await assert.rejects(store.read("room", { after: 1, before: 2 }), RangeError);
  });

  define("[H7] reads an empty stream", async (bed) => {
    const store = await bed.open();
    const page = await store.read("room", { after: 0 });
    assert.deepEqual([page.first, page.offset, page.more, page.messages], [1, 0, false, []]);
    assert.equal((await store.state("room")).epoch, page.epoch);
  });
}

function offsetsOf({ messages }: StreamPage): number[] {
  return messages.map(({ offset }) => offset);
}
