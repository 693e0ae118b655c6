import assert from "node:assert/strict";
import { type InternalLayer, internalsOf } from "../../../lib/core/internals.ts";
import { test } from "node:test";
import { MemoryChannelLayer } from "../../../lib/layers/mod.ts";
import type { LayerMessage } from "../../../lib/core/consumer.ts";
import { MemorySessionStore, type SessionEvent, Sessions } from "../../../lib/sessions/mod.ts";
import type { ControlLog, ControlPage } from "../../../lib/sessions/revocation/control_log.ts";
import { RevocationBroadcast } from "../../../lib/sessions/revocation/revocation_broadcast.ts";
import { FakeClock, settle } from "../../../lib/testing/fake_clock.ts";
import { FakeConnection } from "../../support/fake_connection.ts";
import { FakeLog } from "../../support/fake_log.ts";
import { FaultyLayer } from "../../../lib/testing/layers/faulty_layer.ts";

async function setUp() {
  const store = new MemorySessionStore();
  const layer = new FaultyLayer();
  const log = new FakeLog();
  const [here, there] = [1, 2].map(() => {
    const sessions = new Sessions(store, { log });
    new RevocationBroadcast(sessions, layer).connect();
    return sessions;
  });
  const { session } = await here!.create({ userId: "ada", provider: "dev" });
  const socket = new FakeConnection();
  there!.connections.subscribe(session.id, socket);
  there!.connections.track(session);
  socket.accept();
  await settle();
  return { layer, log, store, here: here!, there: there!, session, socket };
}

test("RevocationBroadcast ends another process's connections at once", async () => {
  const { here, session, socket } = await setUp();
  await here.end(session.id, "revoked");
  await settle();
  assert.deepEqual(socket.ended, { code: 4401, reason: "revoked", byServer: true });
});

test("RevocationBroadcast reads the store to learn which sessions of a user ended", async () => {
  const { here, store, session, socket } = await setUp();
  here.events.announce({ type: "user-ended", userId: "ada", reason: "user-removed" });
  await settle();
  assert.equal(socket.phase, "open");
  await store.delete(session.id);
  here.events.announce({ type: "user-ended", userId: "ada", reason: "user-removed" });
  await settle();
  assert.equal(socket.ended?.code, 4401);
});

test("RevocationBroadcast ends nothing because of a forged message", async () => {
  const { layer, session, socket } = await setUp();
  const forged = [
    { type: "ended", sessionId: session.id, userId: "ada", reason: "revoked" },
    { type: "user-ended", userId: "ada", reason: "user-banned" },
    { type: "user-changed", userId: "ada" },
  ];
  for (const data of forged) {
    await internalsOf(layer).groupSend("sluice.sessions", { type: "sluice.session", data });
  }
  await settle();
  assert.equal(socket.phase, "open");
});

test("RevocationBroadcast triggers an immediate read of the control log", async () => {
  const clock = new FakeClock();
  const store = new MemorySessionStore();
  const controlLog = new FakeControlLog();
  const log = new FakeLog();
  const layer = new MemoryChannelLayer();
  const sessions = new Sessions(store, { log, clock, controlLog });
  new RevocationBroadcast(sessions, layer).connect();
  const { session } = await sessions.create({ userId: "ada", provider: "dev" });
  const socket = new FakeConnection();
  sessions.connections.subscribe(session.id, socket);
  sessions.connections.track(session);
  socket.accept();
  await clock.advance(0);
  const data = { type: "ended", sessionId: session.id, userId: "ada", reason: "revoked" } as const;
  const tell = () =>
    internalsOf(layer).groupSend("sluice.sessions", { type: "sluice.session", data });
  await tell();
  await clock.advance(20);
  assert.equal(socket.phase, "open", "a forged message");
  const { reads } = controlLog;
  for (let n = 0; n < 100; n++) await tell();
  await clock.advance(20);
  assert.ok(controlLog.reads - reads <= 3, "a flood of them");
  controlLog.events.push(data);
  await tell();
  await clock.advance(20);
  assert.deepEqual(socket.ended, { code: 4401, reason: "revoked", byServer: true });
  sessions.close();
});

test("RevocationBroadcast leaves nothing behind if it stops before it has joined", async () => {
  const layer = new MemoryChannelLayer();
  const sessions = new Sessions(new MemorySessionStore(), { log: new FakeLog() });
  const inner: InternalLayer = internalsOf(layer);
  const joining = Promise.withResolvers<void>();
  const slow = {
    ...inner,
    groupAdd: async (group: string, channel: string) => {
      await joining.promise;
      await inner.groupAdd(group, channel);
    },
  };
  const group = new RevocationBroadcast(sessions, slow);
  group.start();
  group.stop();
  joining.resolve();
  await settle();
  await inner.groupSend("sluice.sessions", { type: "x" });
  const { channels, groups, queued } = layer.stats;
  assert.deepEqual({ channels, groups, queued }, { channels: 0, groups: 0, queued: 0 });
});

test("RevocationBroadcast tolerates a failing layer", async () => {
  const { here, there, layer, log, session } = await setUp();
  layer.fault = "unavailable";
  assert.equal(await here.end(session.id, "revoked"), true);
  await settle();
  assert.equal(there.connections.count(session.id), 1);
  assert.match(log.text, /^debug session events cannot be sent/m);
});

test("RevocationBroadcast joins once the layer can be reached", async () => {
  const clock = new FakeClock();
  const store = new MemorySessionStore({ clock });
  const layer = new FaultyLayer();
  const [here, there] = [1, 2].map(() => {
    const sessions = new Sessions(store, { clock, log: new FakeLog() });
    new RevocationBroadcast(sessions, layer).connect();
    return sessions;
  });
  const { session } = await here!.create({ userId: "ada", provider: "dev" });
  layer.fault = "unavailable";
  const socket = new FakeConnection();
  there!.connections.subscribe(session.id, socket);
  there!.connections.track(session);
  await clock.advance(500);
  layer.fault = undefined;
  await clock.advance(1_000);
  await here!.end(session.id, "revoked");
  await settle();
  assert.equal(socket.ended?.code, 4401);
});

test("RevocationBroadcast ignores malformed messages", async () => {
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
  for (const message of odd) await internalsOf(layer).groupSend("sluice.sessions", message);
  await settle();
  assert.equal(socket.phase, "open");
});

test("RevocationBroadcast listens only while connections are open", async () => {
  const { layer, socket, there, session } = await setUp();
  socket.end(1000);
  assert.equal(layer.stats.groups, 0);
  const next = new FakeConnection("c2");
  there.connections.subscribe(session.id, next);
  await settle();
  assert.equal(layer.stats.groups, 1);
});

/** A control log that a test writes to. */
class FakeControlLog implements ControlLog {
  readonly events: SessionEvent[] = [];
  reads = 0;

  read(after: number | undefined): Promise<ControlPage> {
    this.reads++;
    const position = this.events.length;
    const events = after === undefined ? [] : this.events.slice(after);
    return Promise.resolve({ events, position, hasMore: false, isComplete: after !== undefined });
  }

  append(event: SessionEvent): Promise<void> {
    this.events.push(event);
    return Promise.resolve();
  }

  onCommit(): () => void {
    return () => {};
  }
}

test("RevocationBroadcast logs an event that cannot be applied, and handles the next one", async () => {
  const { layer, log, here, there, socket, session } = await setUp();
  const { heard } = there.events;
  there.events.heard = () => {
    throw new Error("apply");
  };
  const data = { type: "ended", sessionId: session.id, userId: "ada", reason: "revoked" };
  await internalsOf(layer).groupSend("sluice.sessions", { type: "sluice.session", data });
  assert.match(log.text, /^error an event of another process/m);
  there.events.heard = heard;
  await here.end(session.id, "revoked");
  await settle();
  assert.equal(socket.phase, "ended");
});
