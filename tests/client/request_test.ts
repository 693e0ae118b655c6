import { test } from "node:test";
import assert from "node:assert/strict";
import { connect, type ConnectOptions, type RequestError } from "@sluice/sluice/client";
import type { ChatMessages } from "../support/client/chat_messages.ts";
import { FakeEnvironment, problem, settled } from "../support/client/fake_environment.ts";

function join(options: ConnectOptions = {}) {
  const environment = new FakeEnvironment();
  const room = connect<ChatMessages>("/ws/chat/lobby", { environment, ...options });
  return { environment, room };
}

function joinLive(options: ConnectOptions = {}) {
  const joined = join(options);
  joined.environment.socket.open();
  return joined;
}

const rejectsWith = (promise: Promise<unknown>, expected: Partial<RequestError>) =>
  assert.rejects(promise, expected);

test("request() resolves to the data of the reply with its id", async () => {
  const { environment: { socket }, room } = joinLive();
  const first = room.request("say", { text: "one" });
  const second = room.request("say", { text: "two" });
  const [a, b] = socket.frames;
  assert.deepEqual([a?.type, a?.data], ["say", { text: "one" }]);
  assert.notEqual(a?.id, b?.id);
  socket.say({ type: "reply", id: b?.id, ok: true, data: { id: "m2" } });
  socket.say({ type: "reply", id: a?.id, ok: true, data: { id: "m1" } });
  assert.deepEqual([await first, await second], [{ id: "m1" }, { id: "m2" }]);
});

test("request() rejects with the server's refusal and its issues", async () => {
  const { environment: { socket }, room } = joinLive();
  const request = room.request("say", { text: "" });
  const issues = [{ path: "data.text", message: "Too short" }];
  const error = { code: "INVALID_MESSAGE", message: "It does not fit", issues };
  socket.say({ type: "reply", id: socket.frames[0]?.id, ok: false, error });
  await rejectsWith(request, {
    name: "RequestError",
    code: "INVALID_MESSAGE",
    message: "It does not fit",
    issues,
    sent: true,
  });
});

test("request() times out, and ignores the late reply", async () => {
  const { environment, room } = joinLive();
  const request = rejectsWith(room.request("say", { text: "one" }), {
    code: "TIMEOUT",
    sent: true,
  });
  await environment.pass(10_000);
  await request;
  environment.socket.say({ type: "reply", id: environment.socket.frames[0]?.id, ok: true });
  assert.deepEqual(environment.reported, []);
  assert.equal(environment.timers, 1, "the one that watches for silence");
});

test("request() rejects when its signal is aborted, before or after the call", async () => {
  const { environment: { socket, ...environment }, room } = joinLive();
  const stop = new AbortController();
  const later = room.request("say", { text: "one" }, { signal: stop.signal });
  stop.abort(new Error("gone"));
  await rejectsWith(later, { code: "ABORTED", sent: true, cause: stop.signal.reason });
  const before = room.request("say", { text: "two" }, { signal: stop.signal });
  await rejectsWith(before, { code: "ABORTED", sent: false });
  assert.equal(socket.sent.length, 1);
  assert.deepEqual(environment.reported, []);
});

test("request() rejects when the connection is lost, and never sends again", async () => {
  const { environment, room } = joinLive();
  const request = rejectsWith(room.request("say", { text: "one" }), {
    code: "DISCONNECTED",
    sent: true,
  });
  environment.socket.end();
  await request;
  await environment.pass(1000);
  assert.equal(environment.sockets.length, 2);
  environment.socket.open();
  assert.deepEqual(environment.socket.sent, []);
});

test("request() rejects with CLOSED when the socket is closed under it", async () => {
  const { room } = joinLive();
  const request = rejectsWith(room.request("say", { text: "one" }), { code: "CLOSED", sent: true });
  room.close();
  await request;
  await rejectsWith(room.request("say", { text: "two" }), { code: "CLOSED", sent: false });
});

test("request() rejects data that is not JSON", async () => {
  const { room } = joinLive();
  const circle: { text: string; self?: unknown } = { text: "one" };
  circle.self = circle;
  await assert.rejects(room.request("say", circle), TypeError);
  assert.throws(() => room.send("say", circle), TypeError);
});

test("send() sends no id", () => {
  const { environment: { socket }, room } = joinLive();
  room.send("say", { text: "one" });
  assert.deepEqual(socket.frames, [{ type: "say", data: { text: "one" } }]);
});

test("messages sent while connecting go out once, in order, before listeners learn of the live state", async () => {
  const { environment: { socket }, room } = join();
  room.send("say", { text: "1" });
  const request = room.request("say", { text: "2" });
  room.onState((state) => state === "live" && room.send("say", { text: "3" }));
  assert.deepEqual(socket.sent, []);
  socket.open();
  assert.deepEqual(socket.frames.map(({ data }) => data), [{ text: "1" }, { text: "2" }, {
    text: "3",
  }]);
  socket.say({ type: "reply", id: socket.frames[1]?.id, ok: true, data: { id: "m" } });
  assert.deepEqual(await request, { id: "m" });
});

test("messages sent while reconnecting are queued, and a request that timed out is never sent", async () => {
  const { environment, room } = joinLive();
  environment.socket.end();
  room.send("say", { text: "kept" });
  const request = rejectsWith(room.request("say", { text: "late" }, { timeoutMs: 100 }), {
    code: "TIMEOUT",
    sent: false,
  });
  await environment.pass(1000);
  await request;
  environment.socket.open();
  assert.deepEqual(environment.socket.frames, [{ type: "say", data: { text: "kept" } }]);
});

test("a queued request survives failed attempts", async () => {
  const { environment, room } = join();
  const request = room.request("say", { text: "patient" });
  for (let failure = 0; failure < 3; failure++) {
    environment.socket.end();
    await settled();
    await environment.pass(room.detail.retryInMs ?? 0);
  }
  environment.socket.open();
  const { id } = environment.socket.frames[0] ?? {};
  environment.socket.say({ type: "reply", id, ok: true, data: { id: "m1" } });
  assert.deepEqual(await request, { id: "m1" });
});

test("messages sent to a closing connection wait for the next one", async () => {
  const { environment, room } = joinLive();
  environment.socket.readyState = 2;
  room.send("say", { text: "1" });
  assert.deepEqual(environment.socket.sent, []);
  environment.socket.end();
  await environment.pass(250);
  environment.socket.open();
  assert.equal(environment.socket.sent.length, 1);
});

test("a message is rejected when the queue is full", async () => {
  const { environment: { socket }, room } = join({ maxQueued: 2 });
  room.send("typing", {});
  room.send("typing", {});
  assert.throws(() => room.send("typing", {}), { code: "QUEUE_FULL", sent: false });
  await rejectsWith(room.request("typing", {}), { code: "QUEUE_FULL", sent: false });
  socket.open();
  room.send("typing", {});
  assert.equal(socket.sent.length, 3);
});

test("queued messages are rejected and reported when the session ends", async () => {
  const { environment, room } = join();
  const errors: string[] = [];
  room.onError(({ code }) => errors.push(code));
  room.send("say", { text: "as ada" });
  const request = rejectsWith(room.request("say", { text: "as ada" }), {
    code: "CLOSED",
    sent: false,
  });
  environment.answer = () => problem(401, "NOT_SIGNED_IN");
  environment.socket.end();
  await request;
  assert.deepEqual(errors, ["CLOSED"]);
  room.retry();
  environment.socket.open();
  assert.deepEqual(environment.socket.sent, []);
  assert.equal(room.state, "live");
});

test("on() dispatches each frame of a message in order, with its place in the history", () => {
  const { environment: { socket }, room } = joinLive();
  const heard: unknown[] = [];
  room.on("said", ({ text }, { offset, epoch }) => heard.push([text, offset, epoch]));
  room.on("left", ({ login }) => heard.push(login));
  socket.say(
    { type: "said", data: { text: "1" }, offset: 7, epoch: "e" },
    { type: "left", data: { login: "ada" } },
    { type: "unheard", data: {} },
  );
  socket.sayRaw('{"type":"said","data":{"text":"2"}}\n');
  assert.deepEqual(heard, [["1", 7, "e"], "ada", ["2", undefined, undefined]]);
});

test("on() returns a function that removes the handler, even while it runs", () => {
  const { environment: { socket }, room } = joinLive();
  let heard = 0;
  const stop = room.on("said", () => {
    heard++;
    stop();
  });
  socket.say({ type: "said", data: { text: "1" } }, { type: "said", data: { text: "2" } });
  assert.equal(heard, 1);
});

test("a handler that throws is reported and does not affect the others", () => {
  const { environment, room } = joinLive();
  const bug = new Error("a bug in a handler");
  const heard: string[] = [];
  room.on("said", () => {
    throw bug;
  });
  room.on("said", ({ text }) => heard.push(text));
  room.onState(() => {
    throw bug;
  });
  environment.socket.say({ type: "said", data: { text: "1" } }, {
    type: "said",
    data: { text: "2" },
  });
  room.close();
  assert.deepEqual(heard, ["1", "2"]);
  assert.deepEqual(environment.reported, [bug, bug, bug]);
});

test("a malformed frame is reported, and later frames are dispatched", () => {
  const { environment, room } = joinLive();
  const heard: string[] = [];
  room.on("said", ({ text }) => heard.push(text));
  environment.socket.sayRaw('nonsense\n[]\n{"type":"said","data":{"text":"1"}}');
  environment.socket.sayRaw(new ArrayBuffer(4));
  environment.socket.say({ type: "reply", id: "unknown", ok: true });
  assert.deepEqual(heard, ["1"]);
  assert.equal(environment.reported.length, 2);
});

test("onError() receives refusals of send(); without a listener they are reported", async () => {
  const { environment, room } = joinLive();
  const refusal = { type: "error", error: { code: "RATE_LIMITED", message: "Too fast" } };
  environment.socket.say(refusal);
  assert.equal((environment.reported[0] as RequestError).code, "RATE_LIMITED");
  const codes: string[] = [];
  room.onError(({ code }) => codes.push(code));
  environment.socket.say(refusal);
  await settled();
  assert.deepEqual(codes, ["RATE_LIMITED"]);
  assert.equal(environment.reported.length, 1);
});
