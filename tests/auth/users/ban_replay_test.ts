import assert from "node:assert/strict";
import { test } from "node:test";
import { KvUserStore, UserChanges } from "../../../lib/auth/mod.ts";
import { type Session, Sessions } from "../../../lib/sessions/mod.ts";
import { KvControlLog } from "../../../lib/sessions/revocation/kv_control_log.ts";
import { KvSessionStore } from "../../../lib/sessions/kv_session_store.ts";
import { FakeClock, settle } from "../../../lib/testing/fake_clock.ts";
import { FakeConnection } from "../../support/fake_connection.ts";
import { FakeLog } from "../../support/fake_log.ts";
import { type KeyValue, MemoryKeyValue } from "../../../lib/kv/mod.ts";

const PROFILE = {
  provider: "dev",
  subject: "ada",
  login: "ada",
  name: undefined,
  avatarUrl: undefined,
};

/** One of several processes on a database, with a separate clock. */
function openProcess(kv: KeyValue) {
  const clock = new FakeClock();
  const controlLog = new KvControlLog(kv);
  const store = new KvSessionStore(kv, { clock, controlLog });
  const sessions = new Sessions(store, { clock, controlLog, log: new FakeLog() });
  return { clock, sessions, users: new KvUserStore(kv, { clock, controlLog }) };
}

function openSocket({ connections }: Sessions, session: Session): FakeConnection {
  const socket = new FakeConnection();
  connections.subscribe(session.id, socket);
  connections.track(session);
  socket.accept();
  return socket;
}

/** Advances a process, and lets the database answer in between. */
async function catchUp(clock: FakeClock): Promise<void> {
  for (let at = 0; at < 500; at += 50) {
    await clock.advance(50);
    for (let turn = 0; turn < 20; turn++) await settle();
  }
}

test("a process that replays a ban after the unban ends old sockets only", async () => {
  await using kv = new MemoryKeyValue();
  const [here, lagging] = [openProcess(kv), openProcess(kv)];
  const user = await here.users.save(PROFILE);
  const signIn = () => here.sessions.create({ userId: user.id, provider: "dev" });
  const before = openSocket(lagging.sessions, (await signIn()).session);
  await catchUp(lagging.clock);

  await here.clock.advance(1_000);
  await new UserChanges(here).ban(user.id, { now: here.clock.now() });
  await here.clock.advance(1_000);
  await new UserChanges(here).unban(user.id);
  await here.clock.advance(1_000);
  const after = openSocket(lagging.sessions, (await signIn()).session);
  await catchUp(lagging.clock);
  assert.equal(before.ended?.code, 4401);
  assert.equal(after.phase, "open");

  await here.clock.advance(1_000);
  await new UserChanges(here).ban(user.id, { now: here.clock.now() });
  await catchUp(lagging.clock);
  assert.equal(after.ended?.code, 4401);
  for (const { sessions } of [here, lagging]) sessions.close();
});

test("a process that replays a removal ends no socket of a later sign-in", async () => {
  await using kv = new MemoryKeyValue();
  const [here, lagging] = [openProcess(kv), openProcess(kv)];
  const user = await here.users.save(PROFILE);
  const old = await here.sessions.create({ userId: user.id, provider: "dev" });
  const before = openSocket(lagging.sessions, old.session);
  await catchUp(lagging.clock);
  await here.clock.advance(1_000);
  await new UserChanges(here).remove(user.id);
  await here.clock.advance(1_000);
  const { id } = await here.users.save(PROFILE);
  const next = await here.sessions.create({ userId: id, provider: "dev" });
  const after = openSocket(lagging.sessions, next.session);
  await catchUp(lagging.clock);
  assert.deepEqual([before.ended?.code, after.phase], [4401, "open"]);
  for (const { sessions } of [here, lagging]) sessions.close();
});
