import assert from "node:assert/strict";
import { type DefineStreamTest, fill, keptOffsets } from "./stream_bed.ts";

/** Tests of limits: [H10] to [H13]. */
export function limitTests(define: DefineStreamTest): void {
  define("[H10] keeps the newest messages up to a number", async (bed) => {
    const store = await bed.open({ maxMessages: 5 });
    await fill(store, "room", 5);
    assert.equal((await store.state("room")).first, 1);
    await fill(store, "room", 7);
    assert.deepEqual(await keptOffsets(store, "room"), [8, 9, 10, 11, 12]);
    const { first, offset } = await store.state("room");
    assert.deepEqual([first, offset], [8, 12]);
    assert.deepEqual((await store.read("room", { before: 9 })).messages.length, 1);
  });

  define("[H11] keeps messages for a time", async (bed) => {
    const store = await bed.open({ maxAgeMs: 400 });
    await fill(store, "room", 2);
    await bed.pass(250);
    await fill(store, "room", 1);
    assert.deepEqual(await keptOffsets(store, "room"), [1, 2, 3]);
    await bed.pass(250);
    assert.deepEqual(await keptOffsets(store, "room"), [3]);
    assert.equal((await store.state("room")).first, 3);
    await bed.pass(400);
    const { first, offset } = await store.state("room");
    assert.deepEqual([first, offset], [4, 3]);
    assert.equal((await store.append("room", { type: "said" })).offset, 4);
  });

  define("[H12] keeps messages up to a number of bytes, and always the newest", async (bed) => {
    const store = await bed.open({ maxBytes: 3_000 });
    for (let number = 0; number < 6; number++) {
      await store.append("room", { type: "said", data: "x".repeat(900) });
    }
    assert.deepEqual(await keptOffsets(store, "room"), [4, 5, 6]);
    await store.append("room", { type: "said", data: "x".repeat(5_000) });
    assert.deepEqual(await keptOffsets(store, "room"), [7]);
    await fill(store, "room", 2);
    assert.deepEqual(await keptOffsets(store, "room"), [8, 9]);
  });

  define("[H13] trims messages before an offset", async (bed) => {
    const store = await bed.open();
    await fill(store, "room", 6);
    await store.trim("room", 4);
    assert.deepEqual(await keptOffsets(store, "room"), [4, 5, 6]);
    await store.trim("room", 2);
    assert.equal((await store.state("room")).first, 4);
    await store.trim("room", 99);
    const { first, offset } = await store.state("room");
    assert.deepEqual([first, offset], [7, 6]);
    assert.equal((await store.append("room", { type: "said" })).offset, 7);
  });

  define("[H13] trims and clears a stream of many messages", async (bed) => {
    const store = await bed.open({ maxMessages: 2_000 });
    await Promise.all(Array.from({ length: 1_500 }, () => store.append("room", { type: "said" })));
    await store.trim("room", 1_401);
    assert.equal((await keptOffsets(store, "room")).length, 100);
    await store.clear("room");
    assert.deepEqual(await keptOffsets(store, "room"), []);
  });
}

/** Tests of limits that differ between the processes, or before and after a restart. */
export function processLimitTests(define: DefineStreamTest): void {
  define("[H23] does not bring back what was dropped when the limit grows", async (bed) => {
    const small = await bed.open({ maxMessages: 3 });
    await fill(small, "room", 8);
    const large = await bed.open({ maxMessages: 50 });
    assert.equal((await large.state("room")).first, 6);
    await fill(large, "room", 2);
    assert.deepEqual(await keptOffsets(large, "room"), [6, 7, 8, 9, 10]);
    const page = await large.read("room", { before: 8 });
    assert.deepEqual([page.messages.map(({ offset }) => offset), page.more], [[6, 7], false]);
  });

  define("[H23] keeps dropped what a read with a smaller limit did not show", async (bed) => {
    const [large, small] = [
      await bed.open({ maxMessages: 50 }),
      await bed.open({ maxMessages: 3 }),
    ];
    await fill(large, "room", 8);
    assert.deepEqual(await keptOffsets(small, "room"), [6, 7, 8]);
    assert.deepEqual(await keptOffsets(large, "room"), [6, 7, 8]);
    await fill(large, "room", 1);
    assert.equal((await large.state("room")).first, 6);
    assert.equal((await small.state("room")).first, 7);
    assert.equal((await large.state("room")).first, 7);
  });
}
