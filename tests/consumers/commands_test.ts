import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameError } from "@sluice/sluice/protocol";
import { communicate } from "@sluice/sluice/testing";
import { ask, entered, RoomConsumer, roomParts } from "../support/consumers/stream_rooms.ts";

const SAY = { type: "say", data: { text: "Hello" }, key: "k-1" };
const COUNT = { type: "count", data: null, key: "k-1" };

test("A keyed append takes effect once, and every repetition gets the first reply", async () => {
  const parts = roomParts();
  const [a, b] = [await entered(parts), await entered(parts)];
  const first = await ask(a.peer, SAY);
  const again = await ask(a.peer, { ...SAY, id: "2", data: { text: "changed" } });
  const elsewhere = await ask(b.peer, SAY);
  assert.deepEqual([again.data, elsewhere.data], [first.data, first.data]);
  assert.equal((await parts.store.state("chat.lobby")).offset, 1);
  assert.equal(parts.ran.say, 1);
});

test("A keyed append sent on two sockets at the same time takes effect once", async () => {
  const parts = roomParts();
  const peers = await Promise.all([1, 2, 3].map(() => entered(parts)));
  const replies = await Promise.all(peers.map(({ peer }) => ask(peer, SAY)));
  assert.equal(new Set(replies.map(({ data }) => data.id)).size, 1);
  assert.equal((await parts.store.state("chat.lobby")).offset, 1);
});

test("A keyed append whose process died before its reply gets the first reply", async () => {
  const parts = roomParts();
  const [{ peer }, other] = [await entered(parts), await entered(parts)];
  const dead = Promise.withResolvers<void>();
  parts.finish = () => dead.promise;
  peer.sendJson({ ...SAY, id: "1" });
  await other.peer.receiveJson(); // The message was stored and sent; the handler never settles.
  parts.finish = () => {};
  const reply = await ask(other.peer, SAY);
  assert.equal(reply.ok, true);
  assert.equal(parts.ran.say, 1);
  assert.equal((await parts.store.state("chat.lobby")).offset, 1);
  dead.resolve();
});

test("A key counts per user and path", async () => {
  const parts = roomParts();
  for (const [user, path] of [["ada", "/a"], ["grace", "/a"], ["ada", "/b"]]) {
    await ask((await entered(parts, user, path)).peer, SAY);
  }
  assert.equal((await parts.store.state("chat.lobby")).offset, 3);
});

test("A keyed command with another effect runs once, and every repetition gets the first reply", async () => {
  const parts = roomParts();
  const [a, b] = [await entered(parts), await entered(parts)];
  const replies = await Promise.all([ask(a.peer, COUNT), ask(b.peer, COUNT)]);
  assert.deepEqual(replies.map(({ data }) => data), [1, 1]);
  assert.equal((await ask(a.peer, COUNT)).data, 1);
  assert.equal(parts.ran.count, 1);
  assert.equal((await ask(a.peer, { ...COUNT, key: "k-2" })).data, 2);
});

test("A keyed command whose process died gets OUTCOME_UNKNOWN", async () => {
  const parts = roomParts();
  const { peer } = await entered(parts);
  const { claim } = parts.store;
  parts.store.claim = () => Promise.resolve({ state: "unknown" });
  const { error } = await ask(peer, COUNT);
  assert.equal(error.code, "OUTCOME_UNKNOWN");
  parts.store.claim = claim;
  assert.equal(parts.ran.count, 0);
});

test("A refused command had no effect and may run again; a failed one may not", async () => {
  const parts = roomParts();
  const { peer } = await entered(parts);
  parts.finish = () => {
    throw new FrameError("FORBIDDEN", "Not now");
  };
  assert.equal((await ask(peer, COUNT)).error.code, "FORBIDDEN");
  parts.finish = () => {};
  assert.equal((await ask(peer, COUNT)).data, 2);
});

test("A failed command gives the same answer to every repetition", async () => {
  const parts = roomParts();
  const scope = {
    streamStore: parts.store,
    layers: { default: parts.layer },
    user: { id: "ada" },
    parts,
  };
  await using peer = communicate(RoomConsumer, { scope, raise: false, log: silent });
  await peer.connect();
  await peer.receiveJson();
  parts.finish = () => {
    throw new Error("bug");
  };
  assert.equal((await ask(peer, COUNT)).error.code, "INTERNAL");
  parts.finish = () => {};
  assert.equal((await ask(peer, COUNT)).error.code, "INTERNAL");
  assert.equal(parts.ran.count, 1);
});

test("An invalid key is refused, and so is any key without a store", async () => {
  const parts = roomParts();
  const { peer } = await entered(parts);
  for (const key of ["", "a b", "é", "x".repeat(65), 7, null, {}]) {
    const { error } = await ask(peer, { ...SAY, key });
    assert.deepEqual([error.code, error.issues[0].path], ["INVALID_MESSAGE", "key"]);
  }
  assert.equal(parts.ran.say, 0);
  assert.equal((await ask(peer, { ...SAY, key: "x".repeat(64) })).ok, true);
});

test("Anonymous clients cannot use the keys of each other", async () => {
  const parts = roomParts();
  const open = async () => {
    const scope = { streamStore: parts.store, layers: { default: parts.layer }, parts };
    const peer = communicate(RoomConsumer, { scope });
    await peer.connect();
    await peer.receiveJson();
    return peer;
  };
  const [a, b] = [await open(), await open()];
  assert.notDeepEqual((await ask(a, SAY)).data, (await ask(b, SAY)).data);
});

const silent = { debug() {}, info() {}, warn() {}, error() {} };
