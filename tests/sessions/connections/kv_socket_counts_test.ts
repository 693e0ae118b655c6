import assert from "node:assert/strict";
import { test } from "node:test";
import { type Session, Sessions } from "../../../lib/sessions/mod.ts";
import { KvSessionStore } from "../../../lib/sessions/kv_session_store.ts";
import { KvSocketCounts } from "../../../lib/sessions/connections/kv_socket_counts.ts";
import { FakeClock, settle } from "../../../lib/testing/fake_clock.ts";
import { FakeConnection } from "../../support/fake_connection.ts";
import { FakeLog } from "../../support/fake_log.ts";
import {
  type AtomicOperation,
  type KeyValue,
  listAll,
  MemoryKeyValue,
} from "../../../lib/kv/mod.ts";

function startProcess(kv: KeyValue, clock: FakeClock) {
  const log = new FakeLog();
  const sessions = new Sessions(new KvSessionStore(kv, { clock }), { clock, log });
  const counts = new KvSocketCounts(kv, { connections: sessions.connections, log, clock });
  sessions.connections.followWith(counts);
  const open = (session: Session) => {
    const socket = new FakeConnection();
    sessions.connections.subscribe(session.id, socket);
    sessions.connections.track(session);
    socket.accept();
    return socket;
  };
  return { sessions, counts, open };
}

async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 250) {
    await clock.advance(250);
    for (let turn = 0; turn < 6; turn++) await settle();
  }
}

test("KvSocketCounts.count() adds up the sockets of all processes, a second later", async () => {
  await using kv = new MemoryKeyValue();
  const clock = new FakeClock();
  const [here, there] = [startProcess(kv, clock), startProcess(kv, clock)];
  const { session } = await here.sessions.create({ userId: "ada", provider: "dev" });
  here.open(session);
  const sockets = [there.open(session), there.open(session)];
  await pass(clock, 1000);
  const count = async () => (await here.counts.count([session.id])).get(session.id);
  assert.equal(await count(), 3);
  sockets[0]!.end(1000);
  await pass(clock, 1000);
  assert.equal(await count(), 2);
  sockets[1]!.end(1000);
  await pass(clock, 1000);
  assert.equal(await count(), 1);
});

test("KvSocketCounts.count() ignores a crashed process", async () => {
  await using kv = new MemoryKeyValue();
  const clock = new FakeClock();
  const [here, there] = [startProcess(kv, clock), startProcess(kv, new FakeClock())];
  const { session } = await here.sessions.create({ userId: "ada", provider: "dev" });
  there.open(session);
  await pass(clock, 250);
  await kv.set(["session_sockets", session.id, "gone"], 5);
  await kv.set(["socket_processes", "gone"], clock.now() - 20_001);
  assert.equal((await here.counts.count([session.id])).get(session.id), 0);
  await kv.set(["socket_processes", "gone"], clock.now());
  assert.equal((await here.counts.count([session.id])).get(session.id), 5);
});

test("KvSocketCounts writes only heartbeats for sockets that stay open", async () => {
  await using kv = new MemoryKeyValue();
  const clock = new FakeClock();
  const { sessions, open } = startProcess(kv, clock);
  const { session } = await sessions.create({ userId: "ada", provider: "dev" });
  for (let n = 0; n < 100; n++) open(session);
  await pass(clock, 1000);
  const [count] = await Array.fromAsync(listAll(kv, { prefix: ["session_sockets"] }));
  await pass(clock, 10_000);
  const [later] = await Array.fromAsync(listAll(kv, { prefix: ["session_sockets"] }));
  assert.equal(later?.version, count?.version);
});

test("KvSocketCounts leaves no entry and no timer once all sockets have ended", async () => {
  await using kv = new MemoryKeyValue();
  const clock = new FakeClock();
  const { sessions, open } = startProcess(kv, clock);
  const { session } = await sessions.create({ userId: "ada", provider: "dev" });
  const socket = open(session);
  await pass(clock, 1000);
  socket.end(1000);
  await pass(clock, 1500);
  assert.deepEqual(await Array.fromAsync(listAll(kv, { prefix: ["session_sockets"] })), []);
  // One timer is the session's deadline.
  assert.ok(clock.pending <= 1, `${clock.pending} timers`);
});

/** A database whose commits may fail after taking effect, or take effect later. */
function unreliable(kv: KeyValue) {
  const state = { fault: undefined as "unacknowledged" | "late" | "away" | undefined };
  const late: (() => Promise<unknown>)[] = [];
  const commit = async (operation: AtomicOperation) => {
    if (state.fault === "late") late.push(() => operation.commit());
    else if (state.fault !== "away") await operation.commit();
    if (state.fault !== undefined) throw new Error("no answer");
    return { ok: true };
  };
  const atomic = () => {
    const operation = kv.atomic();
    const methods = {
      set: (...args: Parameters<typeof operation.set>) => (operation.set(...args), methods),
      delete: (
        ...args: Parameters<typeof operation.delete>
      ) => (operation.delete(...args), methods),
      commit: () => commit(operation),
    };
    return methods;
  };
  const fake = {
    atomic,
    list: kv.list.bind(kv),
    getMany: kv.getMany.bind(kv),
    get: kv.get.bind(kv),
    set: kv.set.bind(kv),
  };
  const settleLate = async () => {
    for (const write of late.splice(0)) await write();
  };
  return { kv: fake as unknown as KeyValue, state, settleLate };
}

for (const fault of ["unacknowledged", "late"] as const) {
  test(`KvSocketCounts soon drops a count whose write was ${fault}`, async () => {
    await using kv = new MemoryKeyValue();
    const clock = new FakeClock();
    const here = startProcess(kv, clock);
    const remote = unreliable(kv);
    const there = startProcess(remote.kv, clock);
    const { session } = await here.sessions.create({ userId: "ada", provider: "dev" });
    const { session: other } = await here.sessions.create({ userId: "ada", provider: "dev" });
    there.open(other); // Keeps the process writing.
    await pass(clock, 1000);
    remote.state.fault = fault;
    const socket = there.open(session);
    await pass(clock, 1000);
    remote.state.fault = undefined;
    socket.end(1000);
    await pass(clock, 1500);
    await remote.settleLate();
    await pass(clock, 6_000);
    const counts = await here.counts.count([session.id, other.id]);
    assert.deepEqual([counts.get(session.id), counts.get(other.id)], [0, 1]);
  });
}

test("KvSocketCounts counts no socket twice after a write that was not acknowledged", async () => {
  await using kv = new MemoryKeyValue();
  const clock = new FakeClock();
  const here = startProcess(kv, clock);
  const remote = unreliable(kv);
  const there = startProcess(remote.kv, clock);
  const { session } = await here.sessions.create({ userId: "ada", provider: "dev" });
  const count = async () => (await here.counts.count([session.id])).get(session.id);
  there.open(session);
  await pass(clock, 1000);
  for (const fault of ["unacknowledged", "away", undefined, "unacknowledged", undefined] as const) {
    remote.state.fault = fault;
    there.open(session);
    for (let n = 0; n < 4; n++) {
      await pass(clock, 500);
      assert.ok(await count() as number <= there.sessions.connections.count(session.id));
    }
  }
  assert.equal(await count(), 6);
  assert.equal((await there.counts.count([session.id])).get(session.id), 6);
});

test("KvSocketCounts ignores an ended process even if the wall clock goes back", async () => {
  await using kv = new MemoryKeyValue();
  const clock = new FakeClock();
  const [here, there] = [startProcess(kv, clock), startProcess(kv, clock)];
  const { session } = await here.sessions.create({ userId: "ada", provider: "dev" });
  const { session: other } = await here.sessions.create({ userId: "ada", provider: "dev" });
  there.open(session);
  await kv.set(["session_sockets", other.id, "gone"], 5);
  await kv.set(["socket_processes", "gone"], clock.now());
  await pass(clock, 1000);
  clock.setBack(3_600_000);
  await pass(clock, 6_000);
  const counts = await here.counts.count([session.id, other.id]);
  assert.deepEqual([counts.get(session.id), counts.get(other.id)], [1, 0]);
});

test("KvSocketCounts.close() also removes the heartbeat", async () => {
  await using kv = new MemoryKeyValue();
  const clock = new FakeClock();
  const { sessions, counts, open } = startProcess(kv, clock);
  const { session } = await sessions.create({ userId: "ada", provider: "dev" });
  open(session);
  await pass(clock, 1000);
  await counts.close();
  assert.deepEqual(await Array.fromAsync(listAll(kv, { prefix: ["session_sockets"] })), []);
  assert.deepEqual(await Array.fromAsync(listAll(kv, { prefix: ["socket_processes"] })), []);
});
