import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { MemoryChannelLayer } from "@sluice/sluice/layers";
import { FaultyLayer } from "@sluice/sluice/testing";
import { ask, entered, roomParts, roomPeer } from "../support/consumers/stream_rooms.ts";

test("JsonConsumer sends the extent of its streams on entry", async () => {
  const parts = roomParts();
  await parts.store.append("chat.lobby", { type: "said", data: { text: "Hello" } });
  const { peer, stream } = await entered(parts);
  const { epoch } = await parts.store.state("chat.lobby");
  assert.deepEqual(stream, { stream: "room", epoch, first: 1, offset: 1 });
  assert.equal(await peer.receivesNothing(), true);
});

test("append() sends the message with its place to all, and replies once it is stored", async () => {
  const parts = roomParts();
  const [ada, grace] = [await entered(parts), await entered(parts, "grace")];
  const reply = await ask(ada.peer, { type: "say", data: { text: "Hello" } });
  assert.equal(reply.ok, true);
  const { epoch, offset } = await parts.store.state("chat.lobby");
  assert.equal(offset, 1);
  const said = { type: "said", data: { text: "Hello" }, stream: "room", epoch, offset: 1 };
  assert.deepEqual(await ada.peer.receiveJson(), said);
  assert.deepEqual(await grace.peer.receiveJson(), said);
});

test("`history` returns messages after and before an offset, and the newest", async () => {
  const parts = roomParts();
  for (let number = 1; number <= 5; number++) {
    await parts.store.append("chat.lobby", { type: "said", data: { text: `${number}` } });
  }
  const { peer, stream: { epoch } } = await entered(parts);
  const history = (data: object) =>
    ask(peer, { type: "history", data: { stream: "room", ...data } });
  const message = (offset: number) => ({ type: "said", data: { text: `${offset}` }, offset });
  assert.deepEqual((await history({ epoch, after: 2, limit: 2 })).data, {
    epoch,
    first: 1,
    offset: 5,
    recovered: true,
    messages: [message(3), message(4)],
    more: true,
  });
  const before = (await history({ epoch, before: 3 })).data;
  assert.deepEqual([before.messages, before.more], [[message(1), message(2)], false]);
  const newest = (await history({ limit: 1 })).data;
  assert.deepEqual([newest.messages, newest.more, newest.recovered], [[message(5)], true, true]);
});

test("`history` says that messages were lost: another epoch, a trimmed or an unknown offset", async () => {
  const parts = roomParts();
  for (let number = 1; number <= 5; number++) {
    await parts.store.append("chat.lobby", { type: "said", data: { text: `${number}` } });
  }
  await parts.store.trim("chat.lobby", 3);
  const { peer, stream: { epoch } } = await entered(parts);
  const history = async (data: object) => {
    const reply = await ask(peer, { type: "history", data: { stream: "room", ...data } });
    const { recovered, messages } = reply.data;
    return [recovered, messages[0]?.offset];
  };
  assert.deepEqual(await history({ epoch, after: 2 }), [true, 3]);
  assert.deepEqual(await history({ epoch, after: 1 }), [false, 3]);
  assert.deepEqual(await history({ epoch: "other", after: 4 }), [false, 3]);
  assert.deepEqual(await history({ epoch, after: 6 }), [false, 3]);
  assert.deepEqual(await history({ epoch: "other", before: 5 }), [false, 3]);
});

test("`history` refuses invalid data with an issue, and the socket stays open", async () => {
  const { peer } = await entered(roomParts());
  const cases: readonly [object | null, string][] = [
    [null, "data"],
    [{}, "data.stream"],
    [{ stream: "other" }, "data.stream"],
    [{ stream: "toString" }, "data.stream"],
    [{ stream: "room", after: -1 }, "data.after"],
    [{ stream: "room", after: "1" }, "data.after"],
    [{ stream: "room", before: 1.5 }, "data.before"],
    [{ stream: "room", after: 1, before: 2 }, "data"],
    [{ stream: "room", limit: 0 }, "data.limit"],
    [{ stream: "room", limit: 501 }, "data.limit"],
    [{ stream: "room", epoch: 1 }, "data.epoch"],
  ];
  for (const [data, path] of cases) {
    const { error } = await ask(peer, { type: "history", data });
    assert.deepEqual([error.code, error.issues[0].path], ["INVALID_MESSAGE", path]);
  }
  assert.equal((await ask(peer, { type: "history", data: { stream: "room" } })).ok, true);
});

test("A client without permission gets neither messages nor history of a stream", async () => {
  const parts = roomParts({ mayRead: false });
  const peer = roomPeer(parts);
  await peer.connect();
  assert.equal(await peer.receivesNothing(), true);
  const { error } = await ask(peer, { type: "history", data: { stream: "room" } });
  assert.equal(error.code, "FORBIDDEN");
  assert.deepEqual((await ask(peer, { type: "say", data: { text: "Hello" } })).before, []);
});

test("A permission that is withdrawn ends reading", async () => {
  const parts = roomParts();
  const { peer } = await entered(parts);
  parts.mayRead = false;
  const { error } = await ask(peer, { type: "history", data: { stream: "room" } });
  assert.equal(error.code, "FORBIDDEN");
  await parts.layer.groupSend("chat.lobby", { type: "said", data: { text: "secret" } });
  assert.equal(await peer.receivesNothing(), true);
});

test("A permission that is withdrawn during a read of the history refuses it", async () => {
  const parts = roomParts();
  const { peer } = await entered(parts);
  const read = parts.store.read.bind(parts.store);
  parts.store.read = (stream, options) => {
    parts.mayRead = false;
    return read(stream, options);
  };
  const { error } = await ask(peer, { type: "history", data: { stream: "room" } });
  assert.equal(error.code, "FORBIDDEN");
});

test("A message that was stored but not sent is shown by the next extent after a gap", async () => {
  const layer = new FaultyLayer();
  const parts = roomParts({ layer });
  const { peer } = await entered(parts);
  await parts.store.append("chat.lobby", { type: "said", data: { text: "Hello" } });
  layer.tellGap({ since: 1, until: 2 });
  // deno-lint-ignore no-explicit-any
  const { type, data } = await peer.receiveJson() as any;
  assert.deepEqual([type, data.offset], ["stream", 1]);
});

test("JsonConsumer closes with 1013 if its streams cannot be read on entry", async () => {
  const parts = roomParts();
  await parts.store.close();
  const peer = roomPeer(parts);
  await peer.connect();
  assert.equal((await peer.closed()).code, 1013);
});

test("JsonConsumer closes with 1013 if the groups of its streams cannot be joined", async () => {
  const layer = new FaultyLayer();
  layer.check = () => Promise.resolve(); // The layer fails right after the check.
  layer.fault = "unavailable";
  const peer = roomPeer(roomParts({ layer }));
  await peer.connect();
  assert.equal((await peer.closed()).code, 1013);
});

test("JsonConsumer leaves no unhandled error if the connection ends while it joins a stream", async () => {
  const joining = Promise.withResolvers<void>();
  const layer = new MemoryChannelLayer();
  const groupAdd = layer.groupAdd.bind(layer);
  layer.groupAdd = async (group, channel) => {
    await joining.promise;
    return await groupAdd(group, channel);
  };
  const unhandled: unknown[] = [];
  const listener = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  addEventListener("unhandledrejection", listener);
  const peer = roomPeer(roomParts({ layer }));
  await peer.connect();
  await peer.disconnect();
  joining.resolve();
  await setImmediate();
  await setImmediate();
  removeEventListener("unhandledrejection", listener);
  assert.deepEqual(unhandled, []);
});
