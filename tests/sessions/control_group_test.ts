import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryChannelLayer } from "../../lib/layers/mod.ts";
import type { LayerMessage } from "../../lib/scope.ts";
import { ControlGroup, MemorySessionStore, Sessions } from "../../lib/sessions/mod.ts";
import { settle } from "../../lib/testing/fake_clock.ts";
import { FakeConnection, FakeLog } from "./fakes.ts";

async function setUp() {
  const store = new MemorySessionStore();
  const layer = new MemoryChannelLayer();
  const log = new FakeLog();
  const [here, there] = [1, 2].map(() => {
    const sessions = new Sessions(store, { log });
    new ControlGroup(sessions, layer).connect();
    return sessions;
  });
  const { session } = await here!.create({ userId: "ada", provider: "dev" });
  const socket = new FakeConnection();
  there!.live.bind(session.id, socket);
  there!.live.track(session);
  socket.accept();
  await settle();
  return { layer, log, here: here!, there: there!, session, socket };
}

test("ControlGroup ends another process's connections at once", async () => {
  const { here, session, socket } = await setUp();
  await here.end(session.id, "revoked");
  await settle();
  assert.deepEqual(socket.ended, { code: 4401, reason: "revoked", byServer: true });
});

test("ControlGroup ends all connections of a person who was removed", async () => {
  const { here, socket } = await setUp();
  here.announce({ type: "user-ended", userId: "ada", reason: "user-removed" });
  await settle();
  assert.equal(socket.ended?.code, 4401);
});

test("ControlGroup needs no layer that works", async () => {
  const { here, there, layer, log, session } = await setUp();
  layer.groupSend = () => Promise.reject(new Error("the layer is down"));
  assert.equal(await here.end(session.id, "revoked"), true);
  await settle();
  assert.equal(there.live.count(session.id), 1);
  assert.match(log.text, /^debug sessions cannot be told of/m);
});

test("ControlGroup takes no message that is none", async () => {
  const { layer, socket, session } = await setUp();
  const odd: LayerMessage[] = [
    { type: "chat" },
    { type: "sluice.session" },
    { type: "sluice.session", data: null },
    { type: "sluice.session", data: "ended" },
    { type: "sluice.session", data: { type: "ended", sessionId: session.id } },
    { type: "sluice.session", data: { type: "ended", sessionId: 7, userId: "a", reason: "b" } },
    { type: "sluice.session", data: { type: "renewed", session: { ...session, userId: "eve" } } },
  ];
  for (const message of odd) await layer.groupSend("sluice.sessions", message);
  await settle();
  assert.equal(socket.phase, "open");
});

test("ControlGroup listens only while connections are open", async () => {
  const { layer, socket, there, session } = await setUp();
  socket.end(1000);
  const sent = await layer.groupSend("sluice.sessions", { type: "x" });
  assert.equal(sent.delivered, 0);
  const next = new FakeConnection("c2");
  there.live.bind(session.id, next);
  await settle();
  assert.equal((await layer.groupSend("sluice.sessions", { type: "x" })).delivered, 1);
});
