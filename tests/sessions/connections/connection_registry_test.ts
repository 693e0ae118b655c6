import assert from "node:assert/strict";
import { test } from "node:test";
import { MemorySessionStore, Sessions } from "../../../lib/sessions/mod.ts";
import { watchSession } from "../../../lib/sessions/connections/session_subscription.ts";
import { FakeClock, settle } from "../../../lib/testing/fake_clock.ts";
import { FakeConnection } from "../../support/fake_connection.ts";
import { FakeLog } from "../../support/fake_log.ts";

const IDLE = 10_000;
const MAX = 60_000;

/** A store that counts its reads, and can be down. */
class WatchedStore extends MemorySessionStore {
  reads = 0;
  writes = 0;
  down = false;
  override get = (id: string) => {
    this.reads++;
    return this.down ? Promise.reject(new Error("store is down")) : super.get(id);
  };
  override update: MemorySessionStore["update"] = (id, change) => {
    this.writes++;
    return super.update(id, change);
  };
}

async function setUp(connections = 1) {
  const clock = new FakeClock();
  const log = new FakeLog();
  const store = new WatchedStore({ clock });
  const sessions = new Sessions(store, { idleTtlMs: IDLE, maxTtlMs: MAX, clock, log });
  const { session, token } = await sessions.create({ userId: "ada", provider: "dev" });
  const sockets = Array.from({ length: connections }, (_, at) => {
    const socket = new FakeConnection(`c${at}`);
    sessions.connections.subscribe(session.id, socket);
    socket.accept();
    return socket;
  });
  sessions.connections.track(session);
  return { clock, log, store, sessions, session, token, sockets, socket: sockets[0]! };
}

test("ConnectionRegistry ends every connection of an ended session at once with 4401", async () => {
  const { sessions, session, sockets } = await setUp(50);
  const other = new FakeConnection("other");
  sessions.connections.subscribe("A".repeat(16), other);
  sessions.connections.apply({
    type: "ended",
    sessionId: session.id,
    userId: "ada",
    reason: "revoked",
  });
  for (const socket of sockets) {
    assert.deepEqual(socket.ended, { code: 4401, reason: "revoked", byServer: true });
  }
  assert.equal(other.ended, undefined);
  assert.equal(sessions.connections.count(session.id), 0);
});

test("ConnectionRegistry ends the others if one connection cannot be ended", async () => {
  const { sessions, session, sockets, log } = await setUp(3);
  sockets[0]!.end = () => {
    throw new Error("a bug");
  };
  await sessions.end(session.id, "revoked");
  assert.deepEqual(sockets.map((socket) => socket.ended?.code), [undefined, 4401, 4401]);
  assert.match(log.text, /could not be ended/);
});

test("ConnectionRegistry.subscribe() refuses a connection that is still deciding when its session ends", async () => {
  const { sessions, session } = await setUp(0);
  const connection = new FakeConnection();
  const binding = sessions.connections.subscribe(session.id, connection);
  await sessions.end(session.id, "revoked");
  assert.equal(binding.over, true);
  assert.equal(connection.refusal?.code, "NOT_SIGNED_IN");
  assert.equal(connection.phase, "ended");
});

test("ConnectionRegistry.subscribe() releases a connection when it ends", async () => {
  const { sessions, session, sockets } = await setUp(2);
  assert.equal(sessions.connections.count(session.id), 2);
  sockets[0]!.end(1000);
  assert.equal(sessions.connections.count(session.id), 1);
  sockets[1]!.end(1000);
  assert.equal(sessions.connections.count(session.id), 0);
});

test("ConnectionRegistry.subscribe() does not keep a connection that has already ended", async () => {
  const { sessions, session, socket } = await setUp();
  socket.end(1000);
  const binding = sessions.connections.subscribe(session.id, socket);
  assert.equal(binding.over, false);
  assert.equal(sessions.connections.count(session.id), 0);
});

test("ConnectionRegistry.count() counts open sockets only", async () => {
  const { sessions, session } = await setUp(2);
  sessions.connections.subscribe(session.id, new FakeConnection("deciding"));
  assert.equal(sessions.connections.count(session.id), 2);
  assert.equal(sessions.connections.count("nobody"), 0);
});

test("ConnectionRegistry ends an idle socket when its session expires", async () => {
  const { clock, socket, store } = await setUp();
  await clock.advance(IDLE - 1);
  assert.equal(socket.phase, "open");
  await clock.advance(1);
  assert.deepEqual(socket.ended, { code: 4401, reason: "expired", byServer: true });
  assert.equal(store.reads, 1);
  assert.equal(store.writes, 0);
  assert.equal(clock.pending, 0);
});

test("ConnectionRegistry does not count messages of an unproved connection as use of a session", async () => {
  const { clock, sessions, session, socket } = await setUp();
  for (let at = 0; at < IDLE; at += 500) {
    const claiming = new FakeConnection(`claim${at}`);
    claiming.lastReceivedAt = clock.now();
    const binding = sessions.connections.claim(session.id, claiming);
    if (at % 1_000 === 0) binding.release();
    else claiming.end(1000);
    const waiting = new FakeConnection(`wait${at}`);
    waiting.lastReceivedAt = clock.now();
    sessions.connections.claim(session.id, waiting);
    await clock.advance(500);
  }
  assert.deepEqual(socket.ended, { code: 4401, reason: "expired", byServer: true });
});

test("ConnectionRegistry counts messages from before the proof once a connection is proved", async () => {
  const { clock, sessions, session, socket } = await setUp();
  await clock.advance(IDLE - 1_000);
  const proving = new FakeConnection("proving");
  proving.lastReceivedAt = clock.now();
  sessions.connections.claim(session.id, proving).prove();
  proving.end(1000);
  await clock.advance(2_000);
  assert.equal(socket.phase, "open");
});

test("ConnectionRegistry ends sessions older than the end of a user's sessions, and no later ones", async () => {
  const { clock, sessions, session, socket } = await setUp();
  const at = clock.now();
  await clock.advance(1);
  const later = await sessions.create({ userId: "ada", provider: "dev" });
  const young = new FakeConnection("young");
  let looks = 0;
  sessions.connections.subscribe(later.session.id, young);
  watchSession(young, { userChanged: () => void looks++ });
  young.accept();
  sessions.connections.track(later.session);
  const ended = { type: "user-ended", userId: "ada", reason: "user-banned" } as const;
  sessions.connections.apply({ ...ended, at: session.createdAt - 1 });
  assert.deepEqual([socket.phase, young.phase], ["open", "open"]);
  sessions.connections.apply({ ...ended, at });
  assert.deepEqual([socket.phase, young.phase, looks], ["ended", "open", 2]);
  sessions.connections.apply({ ...ended, at: later.session.createdAt });
  assert.equal(young.phase, "ended");
});

test("ConnectionRegistry renews the session of a socket that receives messages", async () => {
  const { clock, socket, store } = await setUp();
  for (let second = 0; second < 50; second++) {
    socket.lastReceivedAt = clock.now();
    await clock.advance(1000);
  }
  assert.equal(socket.phase, "open");
  assert.ok(store.writes <= 12, `${store.writes} writes in 50 s`);
});

test("ConnectionRegistry renews from the time of the last message, not of the check", async () => {
  const { clock, socket } = await setUp();
  await clock.advance(1000);
  socket.lastReceivedAt = clock.now();
  await clock.advance(IDLE - 1);
  assert.equal(socket.phase, "open");
  await clock.advance(1);
  assert.equal(socket.ended?.reason, "expired");
});

test("ConnectionRegistry renews for a message that arrived just before the end", async () => {
  const { clock, socket } = await setUp();
  await clock.advance(IDLE - 1);
  socket.lastReceivedAt = clock.now();
  await clock.advance(IDLE - 1);
  assert.equal(socket.phase, "open");
});

test("ConnectionRegistry renews for messages of a socket that has closed meanwhile", async () => {
  const { clock, sockets } = await setUp(2);
  await clock.advance(4000);
  sockets[0]!.lastReceivedAt = clock.now();
  sockets[0]!.end(1000);
  await clock.advance(IDLE - 1);
  assert.equal(sockets[1]!.phase, "open");
});

test("ConnectionRegistry ends even a busy socket at the absolute limit", async () => {
  const { clock, socket } = await setUp();
  for (let at = 0; at < MAX; at += 500) {
    assert.equal(socket.phase, "open", `after ${at} ms`);
    socket.lastReceivedAt = clock.now();
    await clock.advance(500);
  }
  assert.equal(socket.ended?.code, 4401);
});

test("ConnectionRegistry keeps a socket whose session was renewed by another process", async () => {
  const { clock, socket, store, session } = await setUp();
  await clock.advance(6000);
  const seen = clock.now();
  await store.update(session.id, (record) => ({ ...record, lastSeenAt: seen }));
  await clock.advance(IDLE - 1);
  assert.equal(socket.phase, "open");
  await clock.advance(1);
  assert.equal(socket.ended?.reason, "expired");
});

test("ConnectionRegistry keeps a socket whose session was renewed over HTTP, without a read", async () => {
  const { clock, socket, store, sessions, session } = await setUp();
  await clock.advance(6000);
  await sessions.touch(session);
  await clock.advance(IDLE - 1);
  assert.equal(socket.phase, "open");
  assert.equal(store.reads, 0);
});

test("ConnectionRegistry ends a socket whose session another process deleted, at its end", async () => {
  const { clock, socket, store, session } = await setUp();
  await store.delete(session.id);
  await clock.advance(IDLE);
  assert.equal(socket.ended?.code, 4401);
});

test("ConnectionRegistry ends a socket at its session's end if the store cannot confirm it", async () => {
  const { clock, socket, store, log } = await setUp();
  store.down = true;
  await clock.advance(IDLE);
  assert.equal(socket.ended?.code, 4401);
  assert.match(log.text, /a session could not be renewed/);
});

test("ConnectionRegistry keeps a busy socket while the store is down before its session's end", async () => {
  const { clock, socket, store } = await setUp();
  store.update = () => Promise.reject(new Error("store is down"));
  socket.lastReceivedAt = clock.now() + 1;
  await clock.advance(IDLE - 1);
  assert.equal(socket.phase, "open");
});

test("ConnectionRegistry runs one timer for a thousand sessions, and reads each once at its end", async () => {
  const { clock, sessions, store } = await setUp(0);
  const sockets: FakeConnection[] = [];
  for (let at = 0; at < 1000; at++) {
    const { session } = await sessions.create({ userId: `u${at}`, provider: "dev" });
    const socket = new FakeConnection(`c${at}`);
    sessions.connections.subscribe(session.id, socket);
    socket.accept();
    sessions.connections.track(session);
    sockets.push(socket);
  }
  assert.equal(clock.pending, 1);
  await clock.advance(IDLE);
  for (let turn = 0; turn < 20; turn++) await settle();
  assert.ok(sockets.every((socket) => socket.ended?.code === 4401));
  assert.equal(store.reads, 1000);
});

test("ConnectionRegistry keeps no deadline of connections that have ended", async () => {
  const { clock, sessions, session } = await setUp(0);
  for (let at = 0; at < 1000; at++) {
    const socket = new FakeConnection();
    sessions.connections.subscribe(session.id, socket);
    sessions.connections.track(session);
    socket.end(1000);
  }
  const socket = new FakeConnection();
  sessions.connections.subscribe(session.id, socket);
  sessions.connections.track(session);
  await clock.advance(IDLE);
  assert.equal(socket.ended?.code, 4401);
});
