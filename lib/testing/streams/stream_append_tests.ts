import assert from "node:assert/strict";
import { type DefineStreamTest, fill, keptOffsets } from "./stream_bed.ts";

/** Tests of names, messages and appends: [H1] to [H6]. */
export function appendTests(define: DefineStreamTest): void {
  define("[H1] refuses an invalid name with a TypeError", async (bed) => {
    const store = await bed.open();
    for (const name of ["", "a b", "a!b", "a:b", "{a}", "é", "x".repeat(101)]) {
      await assert.rejects(store.append(name, { type: "said" }), TypeError, name);
      await assert.rejects(store.read(name), TypeError, name);
      await assert.rejects(store.state(name), TypeError, name);
      await assert.rejects(store.clear(name), TypeError, name);
    }
    await store.append("x".repeat(100), { type: "said" });
  });

  define("[H2] keeps a message as it was appended, with its time", async (bed) => {
    const store = await bed.open();
    const data = {
      text: "Zoë ✓ \u0000 \ud83d\ude00",
      list: [1, null, true, { a: -1.5 }],
      no: undefined,
    };
    const before = Date.now();
    await store.append("room", { type: "said", data });
    data.text = "changed later";
    const { messages: [message] } = await store.read("room", { after: 0 });
    assert.equal(message?.type, "said");
    assert.deepEqual(message.data, {
      text: "Zoë ✓ \u0000 \ud83d\ude00",
      list: [1, null, true, { a: -1.5 }],
    });
    assert.equal(message.offset, 1);
    assert.equal(Number.isInteger(message.at), true);
    assert.ok(message.at <= Math.max(before, message.at));
    assert.equal(Object.isFrozen(message.data), true);
  });

  define("[H2] refuses what JSON would change, and large messages", async (bed) => {
    const store = await bed.open({ maxMessageBytes: 1_000 });
    await assert.rejects(store.append("room", { type: "" }), TypeError);
    await assert.rejects(store.append("room", { type: "said", data: new Date() }), TypeError);
    await assert.rejects(store.append("room", { type: "said", data: 1n }), TypeError);
    const large = { type: "said", data: "é".repeat(500) };
    await assert.rejects(store.append("room", large), { code: "MESSAGE_TOO_LARGE" });
    assert.equal((await store.state("room")).offset, 0);
  });

  define("[H3] numbers messages from 1 without holes, in the order of the calls", async (bed) => {
    const store = await bed.open();
    const appends = Array.from({ length: 40 }, (_, index) => {
      return store.append("room", { type: "said", data: index + 1 });
    });
    const offsets = (await Promise.all(appends)).map(({ offset }) => offset);
    assert.deepEqual(offsets, Array.from({ length: 40 }, (_, index) => index + 1));
    const { messages } = await store.read("room", { after: 0 });
    assert.deepEqual(messages.map(({ data }) => data), offsets);
  });

  define("[H4] has one epoch, which differs between streams", async (bed) => {
    const store = await bed.open();
    const { epoch } = await store.state("room");
    assert.ok(epoch.length > 0 && epoch.length <= 64);
    assert.equal((await store.state("room")).epoch, epoch);
    assert.equal((await store.append("room", { type: "said" })).epoch, epoch);
    assert.equal((await store.read("room")).epoch, epoch);
    assert.notEqual((await store.state("other")).epoch, epoch);
  });

  define("[H5] keeps streams apart", async (bed) => {
    const store = await bed.open();
    await fill(store, "a", 3);
    await fill(store, "a.b", 2);
    assert.deepEqual(await keptOffsets(store, "a"), [1, 2, 3]);
    assert.deepEqual(await keptOffsets(store, "a.b"), [1, 2]);
    await store.clear("a");
    assert.deepEqual(await keptOffsets(store, "a.b"), [1, 2]);
  });

  define("[H6] begins a new epoch after clear()", async (bed) => {
    const store = await bed.open();
    await fill(store, "room", 3);
    const { epoch } = await store.state("room");
    await store.clear("room");
    const state = await store.state("room");
    assert.notEqual(state.epoch, epoch);
    assert.deepEqual([state.first, state.offset], [1, 0]);
    assert.equal((await store.append("room", { type: "said" })).offset, 1);
    assert.deepEqual(await keptOffsets(store, "room"), [1]);
  });

  define("[H20] rejects calls after close()", async (bed) => {
    const store = await bed.open();
    await store.close();
    await assert.rejects(store.append("room", { type: "said" }), { code: "CLOSED" });
    await assert.rejects(store.read("room"), { code: "CLOSED" });
    await assert.rejects(store.claim("key"), { code: "CLOSED" });
  });
}

/** Tests of appends in several processes. */
export function processAppendTests(define: DefineStreamTest): void {
  define("[H3] numbers the messages of several processes without holes", async (bed) => {
    const stores = [await bed.open(), await bed.open(), await bed.open()];
    await Promise.all(stores.map((store, index) => fill(store, `room`, 15 + index)));
    assert.deepEqual(
      await keptOffsets(stores[0]!, "room"),
      Array.from({ length: 48 }, (_, index) => index + 1),
    );
    const [state, ...others] = await Promise.all(stores.map((store) => store.state("room")));
    for (const other of others) assert.deepEqual(other, state);
  });

  define("[H3] shows a message to other processes once its append has resolved", async (bed) => {
    const [writer, reader] = [await bed.open(), await bed.open()];
    for (let offset = 1; offset <= 10; offset++) {
      await writer.append("room", { type: "said" });
      assert.equal((await reader.state("room")).offset, offset);
    }
  });

  define("[H6] begins a new epoch for all processes", async (bed) => {
    const [a, b] = [await bed.open(), await bed.open()];
    await fill(a, "room", 3);
    await fill(b, "room", 1);
    await a.clear("room");
    const { offset, epoch } = await b.append("room", { type: "said" });
    assert.equal(offset, 1);
    assert.equal((await a.state("room")).epoch, epoch);
  });
}
