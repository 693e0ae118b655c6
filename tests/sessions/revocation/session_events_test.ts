import assert from "node:assert/strict";
import { test } from "node:test";
import { KvUserStore, UserChanges } from "../../../lib/auth/mod.ts";
import { MemoryChannelLayer } from "../../../lib/layers/mod.ts";
import { MemorySessionStore, type SessionEvent, Sessions } from "../../../lib/sessions/mod.ts";
import type { CommitListener, ControlLog } from "../../../lib/sessions/revocation/control_log.ts";
import { KvControlLog } from "../../../lib/sessions/revocation/kv_control_log.ts";
import { KvSessionStore } from "../../../lib/sessions/kv_session_store.ts";
import { RevocationBroadcast } from "../../../lib/sessions/revocation/revocation_broadcast.ts";
import { FakeClock, settle } from "../../../lib/testing/fake_clock.ts";
import { FakeConnection } from "../../support/fake_connection.ts";
import { FakeLog } from "../../support/fake_log.ts";
import { type KeyValue, MemoryKeyValue } from "../../../lib/kv/mod.ts";

/** A process with a control log and a channel layer, which records what each receiver gets. */
class Process {
  readonly sessions: Sessions;
  readonly users: KvUserStore;
  readonly received: string[] = [];

  constructor(kv: KeyValue, clock: FakeClock, layer: MemoryChannelLayer) {
    const controlLog = new KvControlLog(kv);
    const store = new KvSessionStore(kv, { clock, controlLog });
    this.users = new KvUserStore(kv, { clock, controlLog });
    this.sessions = new Sessions(store, { clock, controlLog, log: new FakeLog() });
    const { events, connections } = this.sessions;
    new RevocationBroadcast(this.sessions, layer).connect();
    for (
      const [name, receiver] of [["cache", events.caches!], ["connections", connections]] as const
    ) {
      const apply = receiver.apply.bind(receiver);
      receiver.apply = (event: SessionEvent) => {
        this.received.push(`${name}: ${event.type}`);
        apply(event);
      };
    }
    events.subscribe((event) => this.received.push(`listener: ${event.type}`));
  }

  /** Opens a socket, so that the process follows the log. */
  open(session: Parameters<Sessions["touch"]>[0]): FakeConnection {
    const socket = new FakeConnection();
    this.sessions.connections.subscribe(session.id, socket);
    this.sessions.connections.track(session);
    socket.accept();
    return socket;
  }
}

async function setUp(kv: KeyValue) {
  const clock = new FakeClock();
  const layer = new MemoryChannelLayer();
  const [here, there] = [new Process(kv, clock, layer), new Process(kv, clock, layer)];
  const facts = { login: "ada", name: "Ada", avatarUrl: undefined };
  const ada = await here.users.save({ provider: "dev", subject: "1", ...facts });
  const { session } = await here.sessions.create({ userId: ada.id, provider: "dev" });
  const sockets = [here.open(session), there.open(session)];
  const other = await here.sessions.create({ userId: "grace", provider: "dev" });
  for (const process of [here, there]) process.open(other.session); // They keep following the log.
  await pass(clock, 500);
  return { clock, here, there, ada, session, sockets };
}

/** Advances the clock, and lets a real database answer in between. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 50) {
    await clock.advance(50);
    for (let turn = 0; turn < 12; turn++) await settle();
  }
}

test("SessionEvents delivers the end of a session once to each receiver, in a fixed order", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, there, session, sockets } = await setUp(kv);
  await here.sessions.end(session.id, "signed-out");
  assert.deepEqual(here.received, ["cache: ended", "connections: ended", "listener: ended"]);
  await pass(clock, 1_000);
  assert.equal(here.received.length, 3, "the layer and the log add nothing");
  assert.deepEqual(there.received, ["cache: ended", "connections: ended"]);
  assert.deepEqual(sockets.map(({ ended }) => ended?.code), [4401, 4401]);
});

test("SessionEvents delivers the event of another process even at a position that it has just used", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, there, session } = await setUp(kv);
  const other = await there.sessions.create({ userId: "eve", provider: "dev" });
  const socket = here.open(other.session);
  await Promise.all([
    here.sessions.end(session.id, "signed-out"),
    there.sessions.end(other.session.id, "revoked"),
  ]);
  await pass(clock, 500);
  assert.equal(socket.ended?.code, 4401);
});

test("SessionEvents delivers a ban and a role once to caches and connections, and to listeners", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, there, ada } = await setUp(kv);
  await new UserChanges(here).setRoles(ada.id, ["member"]);
  await pass(clock, 500);
  const changed = ["cache: user-changed", "connections: user-changed"];
  assert.deepEqual(here.received, [...changed, "listener: user-changed"]);
  assert.deepEqual(there.received, changed);
  here.received.length = 0;
  await new UserChanges(here).ban(ada.id);
  await pass(clock, 500);
  assert.deepEqual(here.received.filter((line) => line.includes("user-ended")), [
    "cache: user-ended",
    "connections: user-ended",
    "listener: user-ended",
  ]);
});

/** A log in memory whose listeners a test calls. */
class FakeControlLog implements ControlLog {
  events: SessionEvent[] = [];
  isReset = false;
  commit: CommitListener = () => {};

  read(after: number | undefined) {
    const isComplete = after !== undefined && !this.isReset;
    const events = isComplete ? this.events.slice(after) : [];
    this.isReset = false;
    const position = this.events.length;
    return Promise.resolve({ events, position, hasMore: false, isComplete });
  }
  append(event: SessionEvent): Promise<void> {
    this.events.push(event);
    return Promise.resolve();
  }
  onCommit(listener: CommitListener): () => void {
    this.commit = listener;
    return () => {};
  }
}

async function setUpLog() {
  const clock = new FakeClock();
  const controlLog = new FakeControlLog();
  const store = Object.assign(new MemorySessionStore({ clock }), { controlLog });
  const sessions = new Sessions(store, { clock, controlLog, log: new FakeLog() });
  const { session } = await sessions.create({ userId: "ada", provider: "dev" });
  const told: SessionEvent[] = [];
  sessions.events.subscribe((event) => told.push(event));
  const socket = new FakeConnection();
  sessions.connections.subscribe(session.id, socket);
  sessions.connections.track(session);
  socket.accept();
  await clock.advance(250);
  const event = { type: "ended", sessionId: session.id, userId: "ada", reason: "revoked" } as const;
  return { clock, controlLog, sessions, session, told, socket, event };
}

test("SessionEvents tells listeners of an own commit that was first read from the log", async () => {
  const { clock, controlLog, told, socket, event } = await setUpLog();
  controlLog.events.push(event);
  await clock.advance(250);
  assert.equal(socket.ended?.code, 4401);
  assert.deepEqual(told, []);
  controlLog.commit(event, 1);
  assert.deepEqual(told, [event]);
});

test("SessionEvents drops no event of a log that was replaced", async () => {
  const { clock, controlLog, socket, event } = await setUpLog();
  for (let position = 1; position <= 3; position++) {
    controlLog.commit({ type: "user-changed", userId: "eve" }, position);
  }
  controlLog.isReset = true; // The new log has other entries at these positions.
  await clock.advance(250);
  controlLog.events.push(event);
  await clock.advance(250);
  assert.equal(socket.ended?.code, 4401);
});

test("SessionEvents applies an own commit even if the log was restored and its position used before", async () => {
  const { controlLog, socket, event } = await setUpLog();
  controlLog.commit({ type: "user-changed", userId: "eve" }, 7);
  controlLog.commit(event, 7);
  assert.equal(socket.ended?.code, 4401);
});

test("SessionEvents remembers a limited number of applied events, and applies all", async () => {
  const { clock, controlLog, socket, event } = await setUpLog();
  const other = { type: "user-changed", userId: "eve" } as const;
  controlLog.events = Array.from({ length: 5_000 }, () => other);
  controlLog.events.forEach((event, index) => controlLog.commit(event, index + 1));
  controlLog.events = [...controlLog.events, event];
  await clock.advance(250);
  assert.equal(socket.ended?.code, 4401);
});
