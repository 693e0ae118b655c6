import { test } from "node:test";
import assert from "node:assert/strict";
import { connect, type ConnectOptions } from "@sluice/sluice/client";
import { FakeEnvironment, problem, settled } from "../support/client/fake_environment.ts";

function joinLive(options: ConnectOptions = {}) {
  const environment = new FakeEnvironment();
  const room = connect("/ws/chat/lobby", { environment, ...options });
  environment.socket.open();
  return { environment, room };
}

test("close() stops all callbacks: handlers, timers and state listeners", async () => {
  const { environment, room } = joinLive();
  const heard: string[] = [];
  room.on("said", () => {
    heard.push("said");
    room.close();
  });
  room.on("said", () => heard.push("a second handler"));
  room.on("left", () => heard.push("left"));
  room.onError(() => heard.push("error"));
  room.onState((state) => heard.push(state));
  room.onState((state) => heard.push(state));
  const request = room.request("say", {}).catch(({ code }) => code);
  environment.socket.say(
    { type: "said", data: {} },
    { type: "said", data: {} },
    { type: "left", data: {} },
    { type: "error", error: { code: "INTERNAL", message: "" } },
    { type: "reply", id: "2", ok: true },
  );
  environment.socket.sayRaw("nonsense");
  environment.socket.end();
  for (const change of ["online", "offline", "visible"] as const) environment.fire(change);
  await environment.pass(3_600_000);
  assert.equal(await request, "CLOSED");
  assert.deepEqual(heard, ["said", "closed", "closed"]);
  assert.deepEqual([environment.timers, environment.reported], [0, []]);
});

test("a state listener that calls close() leaves `closed` as the last state for the others", () => {
  const { environment, room } = joinLive();
  const states: string[] = [];
  room.onState((state) => state === "reconnecting" && room.close());
  room.onState((state) => states.push(state));
  environment.socket.end();
  assert.deepEqual(states, ["closed"]);
});

test("close() drops queued messages without an unhandled rejection", async () => {
  const environment = new FakeEnvironment();
  const room = connect("/ws/chat/lobby", { environment });
  const unhandled: unknown[] = [];
  const note = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", note);
  room.send("say", {});
  void room.request("say", {});
  const listened = assert.rejects(room.request("say", {}), { code: "CLOSED", sent: false });
  room.close();
  await listened;
  await new Promise((resolve) => setTimeout(resolve)); // A turn of the event loop reports them.
  globalThis.removeEventListener("unhandledrejection", note);
  assert.deepEqual([unhandled, environment.reported], [[], []]);
});

test("close() during the request for a refusal's reason ends all requests", async () => {
  const ticket = Promise.withResolvers<string>();
  let issued = 0;
  const environment = new FakeEnvironment();
  const room = connect("/ws/chat/lobby", {
    environment,
    ticket: () => issued++ ? ticket.promise : Promise.resolve("t"),
  });
  await settled();
  environment.socket.end();
  room.close();
  ticket.resolve("late");
  await settled();
  assert.deepEqual([environment.fetched, environment.timers], [[], 0]);
});

test("a request's timeout is clamped, and one that is not a number uses the default", async () => {
  const { environment, room } = joinLive();
  const ends: string[] = [];
  for (const timeoutMs of [Infinity, 2 ** 31, NaN, -1, 0]) {
    void room.request("say", {}, { timeoutMs }).catch(() => ends.push(String(timeoutMs)));
  }
  await environment.pass(1);
  assert.deepEqual(ends, ["-1", "0"]);
  await environment.pass(10_000);
  assert.deepEqual(ends, ["-1", "0", "NaN"]);
  await environment.pass(3_600_000);
  assert.deepEqual(ends, ["-1", "0", "NaN"]);
});

test("every delay is within the range of a timer", async () => {
  for (const ms of [Infinity, -Infinity, NaN, 0, -1, 2 ** 31, 2 ** 53]) {
    const environment = new FakeEnvironment();
    const times: number[] = [];
    const after = (ms: number, callback: () => void) => {
      times.push(ms);
      return environment.after(ms, callback);
    };
    const room = connect("/ws/chat/lobby", {
      environment: { ...environment, after },
      baseDelayMs: ms,
      maxDelayMs: ms,
      openTimeoutMs: ms,
      stableAfterMs: ms,
    });
    environment.hidden = true;
    for (let count = 0; count < 3; count++) {
      environment.socket.end();
      await settled();
      room.retry();
      environment.socket.open();
      room.request("say", {}, { timeoutMs: ms }).catch(() => {});
      environment.socket.end(4429);
      room.retry();
    }
    assert.ok(times.every((time) => time >= 0 && time < 2 ** 31), `${ms}: ${times}`);
    room.close();
  }
});

test("no combination of options makes the client attempt more than once a second in the long run", async () => {
  const eager = { baseDelayMs: 0, maxDelayMs: 0, stableAfterMs: 0 };
  const refusing = new FakeEnvironment();
  refusing.chance = 0;
  connect("/ws/chat/lobby", { environment: refusing, ...eager });
  const dropping = new FakeEnvironment();
  dropping.chance = 0;
  connect("/ws/chat/lobby", { environment: dropping, ...eager });
  for (let ms = 0; ms < 60_000; ms += 50) {
    if (refusing.socket.readyState === 0) refusing.socket.end();
    if (dropping.socket.readyState === 0) dropping.socket.open();
    if (dropping.socket.readyState === 1) dropping.socket.end(1012, "retry=0");
    await settled();
    await Promise.all([refusing.pass(50), dropping.pass(50)]);
  }
  for (const { sockets } of [refusing, dropping]) {
    assert.ok(sockets.length <= 64, `${sockets.length} attempts in a minute`);
  }
});

test("maxQueued uses the default if it is not a number", () => {
  const environment = new FakeEnvironment();
  const room = connect("/ws/chat/lobby", { environment, maxQueued: NaN });
  for (let count = 0; count < 64; count++) room.send("say", {});
  assert.throws(() => room.send("say", {}), { code: "QUEUE_FULL" });
});

test("a handler that throws is isolated, even if the error reporter throws", () => {
  const environment = new FakeEnvironment();
  const report = () => {
    throw new Error("reports nothing");
  };
  const room = connect("/ws/chat/lobby", { environment: { ...environment, report } });
  environment.socket.open();
  const heard: unknown[] = [];
  room.on("said", () => {
    throw new Error("a bug");
  });
  room.on("said", (data) => heard.push(data));
  environment.socket.say({ type: "said", data: 1 }, { type: "said", data: 2 });
  environment.socket.sayRaw("nonsense\n" + JSON.stringify({ type: "said", data: 3 }));
  assert.deepEqual(heard, [1, 2, 3]);
});

test("a proxy's error page during a deployment does not stop the client", async () => {
  const environment = new FakeEnvironment();
  const room = connect("/ws/chat/lobby", { environment });
  environment.answer = () => new Response("<h1>Not found</h1>", { status: 404 });
  for (let count = 0; count < 5; count++) {
    environment.socket.end();
    await settled();
    assert.equal(room.state, "reconnecting");
    await environment.pass(room.detail.retryInMs ?? 0);
  }
  environment.answer = () => problem(403, "FORBIDDEN");
  environment.socket.end();
  await settled();
  assert.equal(room.state, "refused");
});

test("a listener whose promise rejects is reported, as one that throws", async () => {
  const { environment, room } = joinLive();
  room.on("said", () => Promise.reject(new Error("late")));
  environment.socket.say({ type: "said", data: { text: "1" } });
  await environment.pass(0);
  assert.deepEqual(environment.reported.map(String), ["Error: late"]);
});
