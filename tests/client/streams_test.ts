import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, type ConnectOptions } from "@sluice/sluice/client";
import type { Recovery } from "../../lib/client/stream_options.ts";
import type { ChatMessages } from "../support/client/chat_messages.ts";
import { FakeEnvironment, type FakeSocket, settled } from "../support/client/fake_environment.ts";

function join(options: ConnectOptions = {}) {
  const environment = new FakeEnvironment();
  const room = connect<ChatMessages>("/ws/chat/lobby", { environment, ...options });
  const heard: string[] = [];
  const recoveries: Recovery[] = [];
  room.on("said", ({ text }) => void heard.push(text));
  room.onRecovered((recovery) => void recoveries.push(recovery));
  environment.socket.open();
  return { environment, room, heard, recoveries };
}

const extent = (offset: number, epoch = "e", first = 1) => ({
  type: "stream",
  data: { stream: "room", epoch, first, offset },
});

const said = (offset: number, epoch = "e") => ({
  type: "said",
  data: { text: `${epoch}${offset}` },
  stream: "room",
  epoch,
  offset,
});

/** Answers the last `history` request with the messages from one offset to another. */
async function answer(
  socket: FakeSocket,
  from: number,
  to: number,
  { epoch = "e", ...more }: { epoch?: string; recovered?: boolean; more?: boolean } = {},
) {
  await settled();
  const { id, type, data } = socket.frames.at(-1)!;
  assert.equal(type, "history");
  const messages = Array.from({ length: to - from + 1 }, (_, index) => ({
    type: "said",
    data: { text: `${epoch}${from + index}` },
    offset: from + index,
  }));
  const reply = { epoch, first: 1, offset: to, recovered: true, more: false, messages, ...more };
  socket.say({ type: "reply", id, ok: true, data: reply });
  await settled();
  return data;
}

/** Loses the connection and opens the next one. */
async function reconnect(environment: FakeEnvironment): Promise<FakeSocket> {
  environment.answer = () => new Response(null, { status: 426 });
  environment.socket.end(1006);
  await settled();
  await environment.pass(30_000);
  environment.socket.open();
  return environment.socket;
}

test("A stream begins with the messages that are sent from now on", async () => {
  const { environment: { socket }, heard, recoveries, room } = join();
  socket.say(extent(7), said(8), said(9));
  await settled();
  assert.deepEqual(heard, ["e8", "e9"]);
  assert.deepEqual(room.position("room"), { epoch: "e", offset: 9 });
  assert.deepEqual(recoveries, []);
  assert.deepEqual(socket.frames, []);
});

test("Messages that arrive before the extent are passed on after it, once", async () => {
  const { environment: { socket }, heard } = join();
  socket.say(said(7), said(8), extent(7), said(8));
  await settled();
  assert.deepEqual(heard, ["e8"]);
});

test("A stream can begin with the newest messages, or after a position", async () => {
  const newest = join({ streams: { room: { newest: 2 } } });
  newest.environment.socket.say(extent(7));
  assert.deepEqual(
    await answer(newest.environment.socket, 6, 7),
    { stream: "room", epoch: "e", after: 5, limit: 500 },
  );
  assert.deepEqual(newest.heard, ["e6", "e7"]);
  assert.deepEqual(newest.recoveries, []);

  const from = join({ streams: { room: { from: { epoch: "e", offset: 4 } } } });
  from.environment.socket.say(extent(6), said(7));
  await answer(from.environment.socket, 5, 6);
  assert.deepEqual(from.heard, ["e5", "e6", "e7"]);
  assert.deepEqual(from.recoveries, [{ stream: "room", recovered: true, missed: 2 }]);
});

test("Missed messages are passed on once and in order after a reconnect", async () => {
  const { environment, heard, recoveries } = join();
  environment.socket.say(extent(0), said(1), said(2));
  const socket = await reconnect(environment);
  socket.say(extent(5), said(6));
  assert.deepEqual(
    await answer(socket, 3, 4, { more: true }),
    { stream: "room", epoch: "e", after: 2, limit: 500 },
  );
  await answer(socket, 5, 6);
  socket.say(said(6), said(7));
  await settled();
  assert.deepEqual(heard, ["e1", "e2", "e3", "e4", "e5", "e6", "e7"]);
  assert.deepEqual(recoveries, [{ stream: "room", recovered: true, missed: 4 }]);
});

test("A reconnect without missed messages is reported without a request", async () => {
  const { environment, recoveries } = join();
  environment.socket.say(extent(0), said(1));
  const socket = await reconnect(environment);
  socket.say(extent(1));
  await settled();
  assert.deepEqual(recoveries, [{ stream: "room", recovered: true, missed: 0 }]);
  assert.deepEqual(socket.frames, []);
});

test("A connection that is lost during a recovery continues it on the next one", async () => {
  const { environment, heard, recoveries } = join();
  environment.socket.say(extent(0), said(1));
  let socket = await reconnect(environment);
  socket.say(extent(4), said(5));
  await answer(socket, 2, 3, { more: true });
  socket = await reconnect(environment);
  socket.say(extent(6));
  await answer(socket, 4, 6);
  assert.deepEqual(heard, ["e1", "e2", "e3", "e4", "e5", "e6"]);
  assert.deepEqual(recoveries.map(({ missed }) => missed), [3]);
});

test("Messages that arrive out of order are put in order without a request", async () => {
  const { environment, heard } = join();
  environment.socket.say(extent(0), said(2), said(3), said(1));
  await environment.pass(1_000);
  assert.deepEqual(heard, ["e1", "e2", "e3"]);
  assert.deepEqual(environment.socket.frames, []);
});

test("A hole is found while connected, and filled", async () => {
  const { environment, heard, recoveries } = join();
  environment.socket.say(extent(0), said(1), said(4));
  await environment.pass(100);
  environment.socket.say(said(5));
  await answer(environment.socket, 2, 4);
  assert.deepEqual(heard, ["e1", "e2", "e3", "e4", "e5"]);
  assert.deepEqual(recoveries, []);
});

test("A reminder of the extent shows a hole at the end", async () => {
  const { environment, heard } = join();
  environment.socket.say(extent(0), said(1), extent(2));
  await answer(environment.socket, 2, 2);
  environment.socket.say(said(3), extent(2));
  await settled();
  assert.deepEqual(heard, ["e1", "e2", "e3"]);
});

test("A new epoch is read from its beginning, and reported as lost messages", async () => {
  const { environment, heard, recoveries, room } = join();
  environment.socket.say(extent(0), said(1));
  const socket = await reconnect(environment);
  socket.say(extent(2, "f"));
  await answer(socket, 1, 2, { epoch: "f", recovered: false });
  socket.say(said(3, "f"));
  await settled();
  assert.deepEqual(heard, ["e1", "f1", "f2", "f3"]);
  assert.deepEqual(recoveries, [{ stream: "room", recovered: false, missed: 2 }]);
  assert.deepEqual(room.position("room"), { epoch: "f", offset: 3 });
});

test("A new epoch is noticed while connected", async () => {
  const { environment, heard, recoveries } = join();
  environment.socket.say(extent(0), said(1), said(1, "f"));
  await answer(environment.socket, 1, 1, { epoch: "f", recovered: false });
  assert.deepEqual(heard, ["e1", "f1"]);
  assert.equal(recoveries[0]?.recovered, false);
});

test("Messages that are no longer kept are reported as lost", async () => {
  const { environment, heard, recoveries } = join();
  environment.socket.say(extent(0), said(1));
  const socket = await reconnect(environment);
  socket.say(extent(9, "e", 8));
  await answer(socket, 8, 9, { recovered: false });
  assert.deepEqual(heard, ["e1", "e8", "e9"]);
  assert.deepEqual(recoveries, [{ stream: "room", recovered: false, missed: 2 }]);
});

test("A failed request for missed messages is repeated; a refused one is not", async () => {
  const { environment, heard } = join();
  const { socket } = environment;
  const refuse = async (code: string) => {
    const error = { code, message: code };
    socket.say({ type: "reply", id: socket.frames.at(-1)?.id, ok: false, error });
    await settled();
    await environment.pass(3_000);
  };
  socket.say(extent(0), said(2));
  await environment.pass(100);
  await refuse("UNAVAILABLE");
  assert.equal(socket.frames.length, 2);
  await answer(socket, 1, 2);
  assert.deepEqual(heard, ["e1", "e2"]);
  socket.say(said(4));
  await environment.pass(100);
  await refuse("FORBIDDEN");
  assert.equal(socket.frames.length, 3);
});

test("loadBefore() returns older messages, each once", async () => {
  const { environment: { socket }, room, heard } = join();
  socket.say(extent(9), said(10));
  const first = room.loadBefore("room", { limit: 2 });
  assert.deepEqual(
    await answer(socket, 8, 9, { more: true }),
    { stream: "room", epoch: "e", before: 10, limit: 2 },
  );
  assert.deepEqual((await first).messages.map(({ offset }) => offset), [8, 9]);
  const second = room.loadBefore("room");
  assert.deepEqual(await answer(socket, 6, 7), { stream: "room", epoch: "e", before: 8 });
  const { messages, more } = await second;
  assert.deepEqual(messages.map(({ offset, epoch }) => [offset, epoch]), [[6, "e"], [7, "e"]]);
  assert.equal(more, false);
  assert.deepEqual(heard, ["e10"]);
});

test("request() with `once` is sent again with its key until it is answered", async () => {
  const { environment, room } = join();
  const request = room.request("say", { text: "Hello" }, { once: true });
  const [first] = environment.socket.frames;
  assert.match(first!.key!, /^[A-Za-z0-9_-]{1,64}$/);
  const socket = await reconnect(environment);
  assert.deepEqual(socket.frames, [first]);
  const error = { code: "UNAVAILABLE", message: "not now" };
  socket.say({ type: "reply", id: first!.id, ok: false, error });
  await environment.pass(2_000);
  assert.deepEqual(socket.frames, [first, first]);
  socket.say({ type: "reply", id: first!.id, ok: true, data: { id: "m1" } });
  assert.deepEqual(await request, { id: "m1" });
});

test("request() with `once` keeps the order of messages, and a given key", async () => {
  const { environment, room } = join();
  const requests = ["a", "b"].map((key) => room.request("say", { text: key }, { key }));
  const socket = await reconnect(environment);
  assert.deepEqual(socket.frames.map(({ key }) => key), ["a", "b"]);
  for (const { id } of socket.frames) socket.say({ type: "reply", id, ok: true, data: { id } });
  assert.equal((await Promise.all(requests)).length, 2);
});

test("request() with `once` ends after the window of the server, and with the socket", async () => {
  const { environment, room } = join();
  const late = assert.rejects(room.request("say", { text: "a" }, { once: true }), {
    code: "TIMEOUT",
    sent: true,
  });
  await environment.pass(600_000);
  await late;
  const closed = assert.rejects(room.request("say", { text: "b" }, { once: true }), {
    code: "CLOSED",
  });
  room.close();
  await closed;
  assert.equal(environment.timers, 0);
});
