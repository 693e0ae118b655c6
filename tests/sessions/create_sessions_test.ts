import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryChannelLayer } from "../../lib/layers/mod.ts";
import { createSessions, type Session } from "../../lib/sessions/mod.ts";
import { FakeClock, settle } from "../../lib/testing/fake_clock.ts";
import { FakeConnection } from "../support/fake_connection.ts";
import { FakeLog } from "../support/fake_log.ts";
import { type KeyValue, MemoryKeyValue } from "../../lib/kv/mod.ts";

/** A layer in memory between "processes" of one test. */
class SharedLayer extends MemoryChannelLayer {
  override readonly extensions = ["processes"];
}

function open({ sessions }: ReturnType<typeof createSessions>, session: Session): FakeConnection {
  const socket = new FakeConnection();
  sessions.connections.subscribe(session.id, socket);
  sessions.connections.track(session);
  socket.accept();
  return socket;
}

/** Advances the clock, and lets a real database answer in between. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 10) {
    await clock.advance(10);
    for (let turn = 0; turn < 12; turn++) await settle();
  }
}

async function setUp(kv: KeyValue, layer: MemoryChannelLayer) {
  const clock = new FakeClock();
  const options = { layer, clock, log: new FakeLog(), maxPerUser: 2 };
  const [here, there] = [createSessions(kv, options), createSessions(kv, options)];
  const { session } = await here.sessions.create({ userId: "ada", provider: "dev" });
  const socket = open(there, session);
  await pass(clock, 1_000);
  return { clock, here, there, session, socket };
}

test("createSessions() ends the sockets of other processes within milliseconds over the layer", async () => {
  await using kv = new MemoryKeyValue();
  const layer = new SharedLayer();
  const { clock, here, there, session, socket } = await setUp(kv, layer);
  assert.equal((await here.socketCounts.count([session.id])).get(session.id), 1);
  await here.sessions.end(session.id, "signed-out");
  await pass(clock, 20);
  assert.equal(socket.ended?.code, 4401);
  await Promise.all([here.close(), there.close()]);
  const { channels, groups } = layer.stats;
  assert.deepEqual({ channels, groups }, { channels: 0, groups: 0 });
});

test("createSessions() needs no layer to end the sockets of other processes", async () => {
  await using kv = new MemoryKeyValue();
  const layer = new MemoryChannelLayer();
  const { clock, here, there, session, socket } = await setUp(kv, layer);
  assert.equal(layer.stats.channels, 0, "a layer for a single process is not used");
  await here.sessions.end(session.id, "signed-out");
  await pass(clock, 250);
  assert.equal(socket.ended?.code, 4401);
  await Promise.all([here.close(), there.close()]);
});

test("createSessions() passes its options on", async () => {
  await using kv = new MemoryKeyValue();
  const { here, there } = await setUp(kv, new MemoryChannelLayer());
  for (let n = 0; n < 3; n++) await here.sessions.create({ userId: "ada", provider: "dev" });
  assert.equal((await there.sessions.list("ada")).length, 2);
  await Promise.all([here.close(), there.close()]);
});

test("close() of createSessions() resolves even if the database is closed", async () => {
  const kv = new MemoryKeyValue();
  const { here, there } = await setUp(kv, new MemoryChannelLayer());
  kv.close();
  await Promise.all([here.close(), there.close()]);
});
