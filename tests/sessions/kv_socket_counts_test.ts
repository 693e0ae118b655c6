import assert from "node:assert/strict";
import { test } from "node:test";
import { KvSessionStore, KvSocketCounts, type Session, Sessions } from "../../lib/sessions/mod.ts";
import { settle } from "../../lib/testing/fake_clock.ts";
import { FakeClock } from "./fake_clock.ts";
import { FakeConnection, FakeLog } from "./fakes.ts";

function startProcess(kv: Deno.Kv, clock: FakeClock) {
  const log = new FakeLog();
  const sessions = new Sessions(new KvSessionStore(kv, { clock }), { clock, log });
  const counts = new KvSocketCounts(kv, { live: sessions.live, log, clock });
  sessions.live.followWith(counts);
  const open = (session: Session) => {
    const socket = new FakeConnection();
    sessions.live.bind(session.id, socket);
    sessions.live.track(session);
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
  using kv = await Deno.openKv(":memory:");
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

test("KvSocketCounts.count() leaves out a process that ended without a word", async () => {
  using kv = await Deno.openKv(":memory:");
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

test("KvSocketCounts writes nothing for sockets that stay open, but a sign of life", async () => {
  using kv = await Deno.openKv(":memory:");
  const clock = new FakeClock();
  const { sessions, open } = startProcess(kv, clock);
  const { session } = await sessions.create({ userId: "ada", provider: "dev" });
  for (let n = 0; n < 100; n++) open(session);
  await pass(clock, 1000);
  const [count] = await Array.fromAsync(kv.list({ prefix: ["session_sockets"] }));
  await pass(clock, 10_000);
  const [later] = await Array.fromAsync(kv.list({ prefix: ["session_sockets"] }));
  assert.equal(later?.versionstamp, count?.versionstamp);
});

test("KvSocketCounts leaves nothing behind, and no timer, once all sockets are over", async () => {
  using kv = await Deno.openKv(":memory:");
  const clock = new FakeClock();
  const { sessions, open } = startProcess(kv, clock);
  const { session } = await sessions.create({ userId: "ada", provider: "dev" });
  const socket = open(session);
  await pass(clock, 1000);
  socket.end(1000);
  await pass(clock, 1500);
  assert.deepEqual(await Array.fromAsync(kv.list({ prefix: ["session_sockets"] })), []);
  // One is that of the session's own deadline.
  assert.ok(clock.timers <= 1, `${clock.timers} timers`);
});
