import { test } from "node:test";
import assert from "node:assert/strict";
import { connect, type ConnectOptions } from "@sluice/sluice/client";
import { FakeEnvironment, problem, settled } from "../support/client/fake_environment.ts";

function join(options: ConnectOptions = {}, environment = new FakeEnvironment()) {
  const room = connect("/ws/chat/lobby?v=1", { environment, ...options });
  return { environment, room };
}

function joinLive(options: ConnectOptions = {}, environment = new FakeEnvironment()) {
  const joined = join(options, environment);
  environment.socket.open();
  return joined;
}

test("connect() resolves a path against the page, and http to ws", () => {
  const { environment, room } = join();
  assert.equal(room.url, "wss://app.example/ws/chat/lobby?v=1");
  assert.equal(environment.socket.url, room.url);
  assert.deepEqual(environment.socket.protocols, ["sluice.v1"]);
  const local = connect(new URL("http://127.0.0.1:8000/ws/echo#top"), { environment });
  assert.equal(local.url, "ws://127.0.0.1:8000/ws/echo");
});

test("connect() refuses an invalid URL, and to run without a WebSocket", () => {
  const environment = new FakeEnvironment();
  for (const address of ["ftp://example.com/", "http://", "javascript:0"]) {
    assert.throws(() => connect(address, { environment }), TypeError, address);
  }
  assert.equal(environment.sockets.length, 0);
});

test("the state goes from connecting to live to reconnecting to live to closed", async () => {
  const { environment, room } = join();
  const states: string[] = [room.state];
  room.onState((state, { attempt, retryInMs }) => states.push(`${state} ${attempt} ${retryInMs}`));
  environment.socket.open();
  environment.socket.end(1006);
  await environment.pass(250);
  environment.socket.open();
  room.close();
  room.close();
  assert.deepEqual(states, [
    "connecting",
    "live 0 undefined",
    "reconnecting 0 250",
    "reconnecting 1 undefined",
    "live 0 undefined",
    "closed 0 undefined",
  ]);
  assert.equal(environment.socket.closedWith, 1000);
});

test("each failure doubles the bound of the delay, up to the maximum", async () => {
  const { environment, room } = join();
  const waits: (number | undefined)[] = [];
  room.onState((_, { retryInMs }) => retryInMs !== undefined && waits.push(retryInMs));
  for (let failure = 0; failure < 8; failure++) {
    environment.socket.end();
    await settled();
    await environment.pass(room.detail.retryInMs ?? 0);
  }
  assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  assert.equal(room.detail.attempt, 9);
});

test("the delays start small again only after a connection that lasted for a while", async () => {
  const { environment, room } = joinLive();
  const loseAfter = async (ms: number) => {
    await environment.pass(ms);
    environment.socket.end();
    const wait = room.detail.retryInMs ?? 0;
    await environment.pass(wait);
    environment.socket.open();
    return wait;
  };
  assert.equal(await loseAfter(9_999), 250);
  assert.equal(await loseAfter(9_999), 500);
  assert.equal(await loseAfter(10_000), 250);
});

test("the close code decides what happens next", () => {
  const cases: [number, string][] = [
    [1000, "closed"],
    [1001, "reconnecting"],
    [1002, "refused"],
    [1006, "reconnecting"],
    [1007, "refused"],
    [1009, "refused"],
    [1011, "reconnecting"],
    [1012, "reconnecting"],
    [4400, "refused"],
    [4401, "signed-out"],
    [4403, "refused"],
    [4408, "reconnecting"],
    [4429, "reconnecting"],
    [4999, "refused"],
  ];
  for (const [code, state] of cases) {
    const { environment, room } = joinLive();
    environment.socket.end(code, "why");
    assert.deepEqual([room.state, room.detail.code, room.detail.reason], [state, code, "why"]);
    assert.equal(environment.timers, state === "reconnecting" ? 1 : 0, `timers after ${code}`);
  }
});

test("4429 delays by at least the maximum delay", () => {
  const { environment, room } = joinLive();
  environment.socket.end(4429);
  assert.ok((room.detail.retryInMs ?? 0) >= 20_000);
});

test("clients spread evenly over the window that the server sets", () => {
  const waits = Array.from({ length: 128 }, (_, i) => {
    const environment = new FakeEnvironment();
    const { room } = joinLive({}, environment);
    environment.chance = i / 128;
    environment.socket.end(1012, "restart retry=12800");
    return room.detail.retryInMs;
  });
  assert.deepEqual(waits, Array.from({ length: 128 }, (_, i) => i * 100));
});

test("a plain request to the same URL finds the reason of a refusal", () => {
  const { environment } = join();
  environment.answer = () => problem(403, "FORBIDDEN");
  environment.socket.end();
  const [asked] = environment.fetched;
  assert.equal(asked?.url, "https://app.example/ws/chat/lobby?v=1");
  assert.equal(asked?.init.credentials, "include");
  assert.equal(new Headers(asked?.init.headers).get("accept"), "application/problem+json");
  assert.equal(asked?.init.method ?? "GET", "GET");
});

test("the response to the plain request decides what happens next", async () => {
  const later = { "retry-after": "30" };
  const cases: [Response, string, string | undefined, number | undefined][] = [
    [problem(426, "UPGRADE_REQUIRED"), "reconnecting", undefined, 250],
    [problem(401, "NOT_SIGNED_IN"), "signed-out", "NOT_SIGNED_IN", undefined],
    [problem(401, "SESSION_EXPIRED"), "signed-out", "SESSION_EXPIRED", undefined],
    [problem(401, "TICKET_INVALID"), "signed-out", "TICKET_INVALID", undefined],
    [problem(403, "ORIGIN_NOT_ALLOWED"), "refused", "ORIGIN_NOT_ALLOWED", undefined],
    [problem(403, "FORBIDDEN"), "refused", "FORBIDDEN", undefined],
    [problem(404, "NO_CONSUMER"), "refused", "NO_CONSUMER", undefined],
    [problem(400, "BAD_HANDSHAKE"), "refused", "BAD_HANDSHAKE", undefined],
    [problem(429, "TOO_MANY_SOCKETS", later), "reconnecting", "TOO_MANY_SOCKETS", 30_500],
    [problem(503, "DRAINING", later), "reconnecting", "DRAINING", 30_500],
    [problem(503, "UNAVAILABLE"), "reconnecting", "UNAVAILABLE", 250],
    [problem(500, "INTERNAL"), "reconnecting", "INTERNAL", 250],
    [problem(429, "TOO_MANY_ATTEMPTS", later), "reconnecting", "TOO_MANY_ATTEMPTS", 30_500],
    // Any other response is temporary.
    [new Response("<html>", { status: 404 }), "reconnecting", "HTTP_404", 250],
    [new Response(null, { status: 401 }), "reconnecting", "HTTP_401", 250],
    [new Response("<html>", { status: 403 }), "reconnecting", "HTTP_403", 250],
    [new Response(null, { status: 410 }), "reconnecting", "HTTP_410", 250],
    [Response.json({ code: "FORBIDDEN" }, { status: 403 }), "reconnecting", "HTTP_403", 250],
    [problem(403, "forbidden"), "reconnecting", "forbidden", 250],
    [problem(403, "ROOM_CLOSED"), "reconnecting", "ROOM_CLOSED", 250],
    [problem(502, "FORBIDDEN"), "reconnecting", "FORBIDDEN", 250],
    [problem(200, "NOT_SIGNED_IN"), "reconnecting", "NOT_SIGNED_IN", 250],
    [problem(403, "FORBIDDEN", { "content-type": "text/html" }), "reconnecting", "HTTP_403", 250],
    [
      problem(403, "FORBIDDEN", { "content-type": "Application/Problem+JSON; charset=utf-8" }),
      "refused",
      "FORBIDDEN",
      undefined,
    ],
    [
      new Response("<html>", {
        status: 403,
        headers: { "content-type": "application/problem+json" },
      }),
      "reconnecting",
      "HTTP_403",
      250,
    ],
    [new Response("<html>", { status: 502 }), "reconnecting", "HTTP_502", 250],
    [new Response("sign in to the hotel"), "reconnecting", "HTTP_200", 250],
  ];
  for (const [response, state, code, retryInMs] of cases) {
    const { environment, room } = join();
    environment.answer = () => response;
    environment.socket.end();
    await settled();
    assert.deepEqual([room.state, room.detail.code, room.detail.retryInMs], [
      state,
      code,
      retryInMs,
    ]);
    await environment.pass(120_000);
    assert.equal(environment.sockets.length > 1, state === "reconnecting", `retried ${code}`);
  }
});

test("a wrong origin is named in the detail and once in the console", async (t) => {
  const warn = t.mock.method(console, "warn", () => {});
  const { environment, room } = join();
  environment.answer = () => problem(403, "ORIGIN_NOT_ALLOWED");
  environment.socket.end();
  await settled();
  await environment.pass(3_600_000);
  assert.equal(room.detail.reason, "It is ORIGIN_NOT_ALLOWED");
  assert.deepEqual(warn.mock.calls.map((call) => call.arguments), [
    ["wss://app.example/ws/chat/lobby?v=1: It is ORIGIN_NOT_ALLOWED"],
  ]);
});

test("an unreachable network is retried", async () => {
  const { environment, room } = join();
  environment.socket.end();
  await settled();
  assert.deepEqual([room.state, room.detail.reason], ["reconnecting", "Failed to fetch"]);
});

test("retry() attempts at once: after a sign-in and during a delay", async () => {
  const { environment, room } = joinLive();
  environment.socket.end(4401);
  await environment.pass(3_600_000);
  assert.equal(environment.sockets.length, 1);
  room.retry();
  assert.deepEqual([room.state, environment.sockets.length], ["connecting", 2]);
  room.retry();
  environment.socket.open();
  room.retry();
  assert.equal(environment.sockets.length, 2);
  environment.socket.end();
  room.retry();
  assert.equal(environment.sockets.length, 3);
  await environment.pass(1000);
  assert.equal(environment.sockets.length, 3);
  room.close();
  room.retry();
  assert.deepEqual([room.state, environment.sockets.length], ["closed", 3]);
});

test("every attempt uses a new ticket, and none is in the URL", async () => {
  let issued = 0;
  const { environment, room } = join({ ticket: () => Promise.resolve(`t${++issued}`) });
  for (let attempt = 0; attempt < 3; attempt++) {
    await settled();
    environment.socket.open();
    environment.socket.end(1011);
    await environment.pass(room.detail.retryInMs ?? 0);
  }
  assert.deepEqual(environment.sockets.map(({ protocols }) => protocols), [
    ["sluice.v1", "sluice.ticket.t1"],
    ["sluice.v1", "sluice.ticket.t2"],
    ["sluice.v1", "sluice.ticket.t3"],
    ["sluice.v1", "sluice.ticket.t4"],
  ]);
  assert.ok(environment.sockets.every(({ url }) => !url.includes("t1")));
});

test("the plain request for the reason uses a new ticket, too", async () => {
  let issued = 0;
  const { environment } = join({ ticket: () => Promise.resolve(`t${++issued}`) });
  environment.answer = () => problem(401, "TICKET_INVALID");
  await settled();
  environment.socket.end();
  await settled();
  const header = new Headers(environment.fetched[0]?.init.headers).get("sec-websocket-protocol");
  assert.equal(header, "sluice.v1, sluice.ticket.t2");
});

test("a refused ticket tells the state of the session", async () => {
  const refused = join({ ticket: () => Promise.reject(problem(401, "SESSION_EXPIRED")) });
  await settled();
  assert.equal(refused.room.state, "signed-out");
  assert.equal(refused.room.detail.code, "SESSION_EXPIRED");
  const broken = join({ ticket: () => Promise.reject(new TypeError("Failed to fetch")) });
  await settled();
  assert.equal(broken.room.state, "reconnecting");
  assert.equal(broken.environment.sockets.length, 0);
});

test("a browser that cannot send its ticket in the plain request does not become signed out", async () => {
  const { environment, room } = join({ ticket: () => Promise.resolve("t") });
  environment.answer = () => problem(401, "NOT_SIGNED_IN");
  await settled();
  environment.socket.end();
  await settled();
  assert.equal(room.state, "reconnecting");
});

test("an attempt that hangs is aborted, and its socket closed", async () => {
  const { environment, room } = join();
  const hung = environment.socket;
  await environment.pass(15_000);
  assert.equal(room.state, "reconnecting");
  assert.equal(hung.closedWith, "none");
  hung.open();
  assert.equal(room.state, "reconnecting");
  const silent = join({ ticket: () => new Promise(() => {}) });
  await silent.environment.pass(15_000);
  assert.equal(silent.room.state, "reconnecting");
});

test("a lost network drops the socket at once, and attempts wait for its return", async () => {
  const { environment, room } = joinLive();
  const before = environment.socket;
  environment.online = false;
  environment.fire("offline");
  assert.deepEqual([room.state, room.detail.retryInMs, before.closedWith], [
    "reconnecting",
    undefined,
    "none",
  ]);
  await environment.pass(3_600_000);
  assert.equal(environment.sockets.length, 1);
  environment.online = true;
  environment.fire("online");
  await environment.pass(500);
  assert.equal(environment.sockets.length, 2);
  before.say({ type: "reply" });
  before.end();
  environment.socket.open();
  assert.equal(room.state, "live");
});

test("a page that starts offline waits, unless the server is on the same machine", async () => {
  const environment = new FakeEnvironment();
  environment.online = false;
  const { room } = join({}, environment);
  assert.deepEqual([room.state, environment.sockets.length], ["reconnecting", 0]);
  for (const host of ["127.0.0.1:8000", "localhost", "app.localhost:1", "[::1]:8000"]) {
    connect(`http://${host}/ws/echo`, { environment });
  }
  assert.equal(environment.sockets.length, 4);
  const local = connect("http://localhost/ws/echo", { environment });
  environment.socket.open();
  environment.fire("offline");
  assert.equal(local.detail.retryInMs, 250);
  await environment.pass(250);
  assert.ok(environment.sockets.length > 5);
});

test("a page that becomes visible ends a delay early, except one set by the server", async () => {
  const { environment, room } = join();
  for (let failure = 0; failure < 6; failure++) {
    environment.socket.end();
    await settled();
    await environment.pass(room.detail.retryInMs ?? 0);
  }
  environment.socket.end();
  await settled();
  assert.equal(room.detail.retryInMs, 10_000);
  environment.fire("visible");
  assert.equal(room.detail.retryInMs, 250);
  await environment.pass(250);
  environment.answer = () => problem(503, "DRAINING", { "retry-after": "60" });
  environment.socket.end();
  await settled();
  environment.fire("visible");
  environment.fire("online");
  assert.equal(room.detail.retryInMs, 60_500);
});

test("a hidden page makes one normal attempt, then slow ones", async () => {
  const { environment, room } = joinLive();
  environment.hidden = true;
  environment.socket.end();
  assert.equal(room.detail.retryInMs, 250);
  await environment.pass(250);
  environment.socket.end();
  await settled();
  assert.equal(room.detail.retryInMs, 20_000);
});

test("close() leaves no timer, no listener and no socket", async () => {
  const cutOff = (joined: ReturnType<typeof join>, answer?: () => Response) => {
    joined.environment.answer = answer;
    joined.environment.socket.end();
    return joined;
  };
  const moments = {
    connecting: () => join(),
    live: () => joinLive(),
    waiting: () => cutOff(joinLive()),
    asking: () => cutOff(join(), () => problem(426, "UPGRADE_REQUIRED")),
    "asking in vain": () => cutOff(join()),
  };
  for (const [moment, reach] of Object.entries(moments)) {
    const { environment, room } = reach();
    room[Symbol.dispose]();
    await settled();
    assert.equal(room.state, "closed", moment);
    assert.deepEqual([environment.timers, environment.listeners], [0, 0], moment);
    await environment.pass(3_600_000);
    assert.equal(environment.sockets.length, 1, moment);
  }
});

test("a socket closed by its own state listener stays closed", async () => {
  for (const fateful of ["reconnecting 0", "reconnecting 1", "live 0"]) {
    const { environment, room } = joinLive();
    const stop = room.onState((state, { attempt }) => {
      if (`${state} ${attempt}` === fateful) {
        stop();
        room.close();
      }
    });
    environment.socket.end();
    await environment.pass(250);
    environment.socket.open();
    assert.deepEqual([room.state, environment.timers], ["closed", 0], fateful);
    const sockets = environment.sockets.length;
    await environment.pass(60_000);
    assert.deepEqual([room.state, environment.sockets.length], ["closed", sockets], fateful);
  }
});

test("retry() after a refusal starts with small delays", async () => {
  const { environment, room } = join();
  environment.socket.end();
  await settled();
  await environment.pass(250);
  environment.answer = () => problem(403, "FORBIDDEN");
  environment.socket.end();
  await settled();
  assert.equal(room.state, "refused");
  room.retry();
  environment.answer = undefined;
  environment.socket.end();
  await settled();
  assert.equal(room.detail.retryInMs, 250);
});
