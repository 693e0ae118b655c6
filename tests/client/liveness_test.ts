import { test } from "node:test";
import assert from "node:assert/strict";
import { connect, type ConnectOptions } from "@sluice/sluice/client";
import { FakeEnvironment, settled } from "../support/client/fake_environment.ts";

function joinLive(options: ConnectOptions = {}) {
  const environment = new FakeEnvironment();
  const room = connect("/ws/chat/lobby", { environment, ...options });
  environment.socket.open();
  const pings = () => environment.socket.pings.length - 1; // Without the question for the user.
  return { environment, room, pings };
}

/** From now on, no data gets through and no event reports it. */
function cut(environment: FakeEnvironment) {
  environment.socket.answersPings = false;
}

test("a connection that goes silent is detected within 45 s and replaced", async () => {
  for (const chance of [0, 0.5, 0.999]) {
    const { environment, room } = joinLive();
    environment.chance = chance;
    environment.socket.say({ type: "said", data: {} });
    cut(environment);
    const silent = environment.socket;
    await environment.pass(45_000);
    assert.notEqual(room.state, "live", `chance ${chance}`);
    assert.equal(silent.closedWith, "none");
    await environment.pass(1_000);
    assert.notEqual(environment.socket, silent);
    environment.socket.open();
    assert.equal(room.state, "live");
  }
});

test("the state tells that a connection went silent", async () => {
  const { environment, room } = joinLive();
  const reasons: unknown[] = [];
  room.onState((_, { code, reason }) => reasons.push([code, reason]));
  cut(environment);
  await environment.pass(45_000);
  assert.deepEqual(reasons[0], [1006, "The connection went silent"]);
});

test("an idle connection is pinged after 25 to 30 s, and stays live with each reply", async () => {
  const { environment, room, pings } = joinLive();
  await environment.pass(24_999);
  assert.equal(pings(), 0);
  await environment.pass(5_001);
  assert.equal(pings(), 1);
  await environment.pass(3_600_000);
  assert.ok(pings() >= 120 && pings() <= 146, `${pings()} pings in an hour`);
  assert.deepEqual([room.state, environment.sockets.length], ["live", 1]);
});

test("no ping is sent while server messages arrive", async () => {
  const { environment, room, pings } = joinLive();
  for (let second = 0; second < 600; second++) {
    await environment.pass(1_000);
    environment.socket.say({ type: "said", data: {} });
  }
  assert.deepEqual([room.state, pings(), environment.socket.sent], ["live", 0, []]);
});

for (const change of ["visible", "online"] as const) {
  test(`a silent connection is detected within 5 s of "${change}"`, async () => {
    const { environment, room, pings } = joinLive();
    await environment.pass(3_000);
    cut(environment);
    environment.fire(change);
    assert.equal(pings(), 1);
    await environment.pass(3_000);
    assert.equal(room.state, "live");
    await environment.pass(2_000);
    assert.equal(room.state, "reconnecting");
  });
}

test("a silent connection is detected within 5 s of a request that timed out", async () => {
  const { environment, room } = joinLive();
  cut(environment);
  const request = assert.rejects(room.request("say", {}, { timeoutMs: 1_000 }), {
    code: "TIMEOUT",
  });
  await environment.pass(1_000);
  await request;
  await environment.pass(5_000);
  assert.notEqual(room.state, "live");
});

test("server messages do not count as the reply to a ping: they prove one direction only", async () => {
  const { environment, room } = joinLive();
  cut(environment);
  environment.fire("visible");
  const silent = environment.socket;
  for (let tenth = 0; tenth < 50; tenth++) {
    await environment.pass(100);
    silent.say({ type: "said", data: {} });
  }
  assert.notEqual(room.state, "live");
});

test("a check during an idle ping shortens the wait for its reply, and sends no second one", async () => {
  const { environment, room, pings } = joinLive();
  cut(environment);
  await environment.pass(28_000);
  assert.equal(pings(), 1);
  const silent = environment.socket;
  environment.fire("visible");
  await environment.pass(5_000);
  assert.equal(silent.pings.length, 2);
  assert.notEqual(room.state, "live");
});

test("repeated checks do not delay the detection", async () => {
  const { environment, room } = joinLive();
  cut(environment);
  for (let count = 0; count < 17; count++) {
    environment.fire("visible");
    await environment.pass(300);
  }
  assert.notEqual(room.state, "live");
});

test("an answered check leaves one timer and a live connection", async () => {
  const { environment, room } = joinLive();
  for (let count = 0; count < 20; count++) {
    environment.fire(count % 2 ? "visible" : "online");
    await environment.pass(300);
  }
  assert.deepEqual([room.state, environment.timers, environment.sockets.length], ["live", 1, 1]);
});

test("a server that refuses or echoes pings counts as alive", async () => {
  const refuse = (id: string) => ({
    type: "reply",
    id,
    ok: false,
    error: { code: "UNKNOWN_TYPE", message: "" },
  });
  const echo = (id: string) => ({ type: "ping", id });
  for (const reply of [refuse, echo]) {
    const { environment, room } = joinLive();
    const { socket } = environment;
    cut(environment);
    socket.say(reply(socket.pings[0]!.id));
    for (let count = 1; count < 10; count++) {
      await environment.pass(30_000);
      socket.say(reply(socket.pings.at(-1)!.id));
    }
    assert.deepEqual([room.state, environment.reported], ["live", []]);
  }
});

test("a late reply from a replaced connection has no effect", async () => {
  const { environment, room } = joinLive();
  cut(environment);
  environment.fire("visible");
  const silent = environment.socket;
  await environment.pass(5_000);
  environment.socket.open();
  for (const ping of silent.pings) silent.answer(ping);
  silent.end(1006);
  assert.deepEqual([room.state, environment.timers], ["live", 1]);
});

test("repeated `visible` events do not restart the delay before the next attempt", async () => {
  const { environment, room } = joinLive();
  environment.chance = 0.999;
  environment.socket.end();
  assert.equal(room.detail.retryInMs, 499);
  for (let count = 0; count < 4; count++) {
    environment.fire("visible");
    await environment.pass(300);
  }
  assert.ok(environment.sockets.length > 1);
});

test("an error without a close ends an attempt, and the client asks for the reason", async () => {
  const environment = new FakeEnvironment();
  const room = connect("/ws/chat/lobby", { environment });
  environment.socket.fail();
  await settled();
  assert.deepEqual([room.state, room.detail.retryInMs], ["reconnecting", 250]);
  assert.equal(environment.fetched.length, 1);
  environment.socket.end();
  await settled();
  assert.equal(environment.fetched.length, 1, "a close after it has no effect");
});

test("an error without a close ends a live connection after a short wait for the close", async () => {
  const { environment, room } = joinLive();
  environment.socket.fail();
  assert.equal(room.state, "live");
  await environment.pass(1_000);
  assert.equal(room.state, "reconnecting");
  const closed = joinLive();
  closed.environment.socket.fail();
  closed.environment.socket.end(4403);
  await closed.environment.pass(5_000);
  assert.equal(closed.room.state, "refused");
});

test("a change of the system clock does not affect any delay", () => {
  const { now } = Date;
  try {
    for (const hours of [-1, 1]) {
      Date.now = now;
      const environment = new FakeEnvironment();
      const { now: _, ...parts } = environment;
      const room = connect("/ws/chat/lobby", { environment: parts });
      environment.socket.open();
      environment.socket.end(4429);
      const before = room.detail.retryInMs ?? 0;
      Date.now = () => now() + hours * 3_600_000;
      environment.fire("offline");
      environment.fire("online");
      const after = room.detail.retryInMs ?? 0;
      assert.ok(before >= 20_000 && after <= before && after > before - 10_000, `${after} ms`);
      room.close();
    }
  } finally {
    Date.now = now;
  }
});
