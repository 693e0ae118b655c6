import assert from "node:assert/strict";
import { test } from "node:test";
import { KvUserStore, type User, UserChanges, type UserScope } from "../../lib/auth/mod.ts";
import { withUser } from "../../lib/auth/with_user.ts";
import type { ConnectionHandler } from "../../lib/core/consumer.ts";
import { Refusal } from "../../lib/protocol/mod.ts";
import { Sessions, type SessionStore } from "../../lib/sessions/mod.ts";
import type { ControlLog } from "../../lib/sessions/revocation/control_log.ts";
import { KvControlLog } from "../../lib/sessions/revocation/kv_control_log.ts";
import { KvSessionStore } from "../../lib/sessions/kv_session_store.ts";
import { withSession } from "../../lib/sessions/with_session.ts";
import { FakeClock, settle } from "../../lib/testing/fake_clock.ts";
import { FakeLog } from "../support/fake_log.ts";
import { fakeScope } from "../support/fake_scope.ts";
import { type KeyValue, listAll, MemoryKeyValue } from "../../lib/kv/mod.ts";

const IDLE_TTL = 3_600_000;
const consumer = {} as ConnectionHandler;

/** One of several processes on a database: counts its reads of sessions and users. */
class Process {
  readonly controlLog: KvControlLog;
  readonly store: KvSessionStore;
  readonly users: KvUserStore;
  readonly sessions: Sessions;
  readonly log = new FakeLog();
  reads = 0;

  constructor(kv: KeyValue, clock: FakeClock, controlLog = new KvControlLog(kv)) {
    this.controlLog = controlLog;
    this.store = new KvSessionStore(kv, { clock, controlLog });
    this.users = new KvUserStore(kv, { clock, controlLog });
    const { log } = this;
    this.sessions = new Sessions(this.store, { idleTtlMs: IDLE_TTL, clock, controlLog, log });
    for (const store of [this.store, this.users] as { get(id: string): Promise<unknown> }[]) {
      const get = store.get.bind(store);
      store.get = (id) => (this.reads++, get(id));
    }
  }

  /** Opens and closes a socket; returns its user's login, or undefined. */
  async upgrade(token: string): Promise<User | undefined> {
    const scope = fakeScope("http://localhost/ws", { cookie: `session=${token}` });
    let user: User | undefined;
    const stack = withSession(
      this.sessions,
      withUser(this.users, (scope: UserScope) => {
        user = scope.user;
        return scope.user ? consumer : new Refusal("NOT_SIGNED_IN");
      }),
    );
    await stack(scope);
    scope.connection.end(1000);
    return user;
  }

  /** Returns the cost of an upgrade. */
  async costOf(token: string): Promise<number> {
    const before = this.reads;
    await this.upgrade(token);
    return this.reads - before;
  }
}

async function setUp(kv: KeyValue) {
  const clock = new FakeClock();
  const [here, there] = [new Process(kv, clock), new Process(kv, clock)];
  const profile = {
    provider: "dev",
    subject: "1",
    login: "ada",
    name: "Ada",
    avatarUrl: undefined,
  };
  const ada = await here.users.save(profile);
  const { session, token } = await here.sessions.create({ userId: ada.id, provider: "dev" });
  return { clock, here, there, ada, profile, session, token };
}

/** Lets a process read the log, and then the data of an upgrade. */
async function warm(clock: FakeClock, process: Process, token: string): Promise<void> {
  await process.upgrade(token);
  await pass(clock, 250);
  await process.upgrade(token);
  assert.equal(await process.costOf(token), 0, "it relies on what it has just read");
}

/** Advances the clock, and lets a real database answer in between. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 50) {
    await clock.advance(Math.min(50, ms - at));
    for (let turn = 0; turn < 12; turn++) await settle();
  }
}

test("repeated upgrades of a cached session cost no read", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, ada, token } = await setUp(kv);
  assert.equal(await here.costOf(token), 2);
  await pass(clock, 250);
  assert.equal(await here.costOf(token), 2, "the log had not been read at the first one");
  for (let n = 0; n < 20; n++) {
    assert.equal(await here.costOf(token), 0);
    await pass(clock, 200);
  }
  assert.deepEqual((await here.upgrade(token))?.id, ada.id);
});

test("an upgrade is refused within a second of a revocation on another process", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, there, session, token } = await setUp(kv);
  await warm(clock, here, token);
  await there.sessions.end(session.id, "revoked");
  await pass(clock, 1_000);
  assert.equal(await here.upgrade(token), undefined);
  assert.equal(await there.upgrade(token), undefined);
});

test("an upgrade is refused at once on the process of the revocation", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, session, token } = await setUp(kv);
  await warm(clock, here, token);
  await here.sessions.end(session.id, "signed-out");
  assert.equal(await here.upgrade(token), undefined);
});

test("an upgrade that reads during a revocation caches nothing", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, session, token } = await setUp(kv);
  await here.upgrade(token);
  await pass(clock, 250);
  const get = here.store.get.bind(here.store);
  const answer = Promise.withResolvers<void>();
  here.store.get = async (id) => {
    const record = await get(id);
    await answer.promise;
    return record;
  };
  const late = here.upgrade(token);
  for (let turn = 0; turn < 12; turn++) await settle();
  await here.sessions.end(session.id, "revoked");
  answer.resolve();
  assert.equal(await late, undefined);
  here.store.get = get;
  assert.equal(await here.upgrade(token), undefined);
});

test("an old session secret is refused within a second of a rotation on another process", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, there, ada, session, token } = await setUp(kv);
  for (const process of [here, there]) await warm(clock, process, token);
  const rotated = await there.sessions.rotate(session.id, { graceMs: 0 });
  assert.equal(await there.upgrade(token), undefined, "at once where it was done");
  await pass(clock, 1_000);
  assert.equal(await here.upgrade(token), undefined);
  assert.equal((await here.upgrade(rotated!.token))?.id, ada.id);
});

test("the read cache refuses no request: the session may have been renewed, or have a new secret", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, there, ada, session, token } = await setUp(kv);
  clock.pause(IDLE_TTL - 500);
  for (let n = 0; n < 2; n++) {
    assert.equal((await here.sessions.find(token)).state, "live");
    await pass(clock, 200);
  }
  await there.sessions.touch(session);
  clock.pause(100); // Past the end that it had, and before the log is read.
  assert.equal((await here.sessions.find(token)).state, "live");
  await warm(clock, here, token);
  const rotated = await there.sessions.rotate(session.id);
  assert.equal((await here.upgrade(rotated!.token))?.id, ada.id);
});

test("the read cache is not used while the control log cannot be read", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, there, ada, session, token } = await setUp(kv);
  await warm(clock, here, token);
  const read = here.controlLog.read.bind(here.controlLog);
  here.controlLog.read = () => Promise.reject(new Error("connection refused"));
  await pass(clock, 250);
  for (let n = 0; n < 5; n++) assert.equal(await here.costOf(token), 2);
  const { token: other } = await here.sessions.create({ userId: ada.id, provider: "dev" });
  await here.upgrade(other);
  await there.sessions.end(session.id, "revoked");
  assert.equal(await here.upgrade(token), undefined);
  here.controlLog.read = read;
  await pass(clock, 400);
  assert.equal(await here.upgrade(token), undefined);
  assert.equal(await here.costOf(other), 0, "what nothing was said of is good again");
});

test("the read cache is not used while a read of the control log hangs for a second", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, there, session, token } = await setUp(kv);
  await warm(clock, here, token);
  here.controlLog.read = () => new Promise(() => {});
  await there.sessions.end(session.id, "revoked");
  await pass(clock, 1_050);
  assert.equal(await here.upgrade(token), undefined);
});

test("the read cache is not used after a pause of the process, whatever the wall clock says", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, there, session, token } = await setUp(kv);
  await warm(clock, here, token);
  clock.setBack(60_000);
  assert.equal(await here.costOf(token), 0, "no time has elapsed");
  await there.sessions.end(session.id, "revoked");
  clock.pause(1_001); // No timer had its turn: the log was not read.
  clock.setBack(60_000);
  assert.equal(await here.upgrade(token), undefined);
  await pass(clock, 250);
  assert.equal(await here.upgrade(token), undefined);
});

test("the read cache drops all values if entries of the log were missed", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, there, session, token } = await setUp(kv);
  await warm(clock, here, token);
  await there.sessions.end(session.id, "revoked");
  for await (const { key } of listAll(kv, { prefix: ["control_log"] })) await kv.delete(key);
  await pass(clock, 250);
  assert.equal(await here.upgrade(token), undefined);
});

test("the read cache keeps no values of a store with another log, or without one", async () => {
  await using kv = new MemoryKeyValue();
  const { here, ada, token } = await setUp(kv);
  const clock = new FakeClock();
  const stores: SessionStore[] = [new KvSessionStore(kv, { clock }), here.store];
  for (const store of stores) {
    let reads = 0;
    const get = store.get.bind(store);
    store.get = (id) => (reads++, get(id));
    const controlLog: ControlLog = new KvControlLog(kv);
    const sessions = new Sessions(store, { clock, controlLog, log: new FakeLog() });
    for (let n = 1; n <= 3; n++) {
      assert.equal((await sessions.find(token)).state, "live");
      await pass(clock, 250);
      assert.equal(reads, n);
    }
    sessions.close();
  }
  const users = new KvUserStore(kv);
  here.reads = 0;
  const process = Object.assign(new Process(kv, clock, here.controlLog), { users });
  await process.upgrade(token);
  await pass(clock, 250);
  await process.upgrade(token);
  await users.remove(ada.id);
  assert.equal(await process.upgrade(token), undefined);
});

test("a banned or removed user gets no socket, within a second on other processes", async () => {
  for (const act of ["ban", "remove"] as const) {
    await using kv = new MemoryKeyValue();
    const { clock, here, there, ada, token } = await setUp(kv);
    for (const process of [here, there]) await warm(clock, process, token);
    await new UserChanges(there)[act](ada.id);
    assert.equal(await there.upgrade(token), undefined);
    await pass(clock, 1_000);
    assert.equal(await here.upgrade(token), undefined);
  }
});

test("a change of a user made through the store applies at once", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, there, ada, profile, token } = await setUp(kv);
  for (const process of [here, there]) await warm(clock, process, token);
  await here.users.save({ ...profile, name: "Countess Ada" });
  assert.equal((await here.upgrade(token))?.name, "Countess Ada");
  await here.users.update(ada.id, (user) => ({ ...user, bannedAt: clock.now() }));
  assert.equal(await here.upgrade(token), undefined);
  await pass(clock, 1_000);
  assert.equal(await there.upgrade(token), undefined);
});

test("the read cache keeps no banned user: after an unban, they are admitted at once", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, there, ada, token } = await setUp(kv);
  await warm(clock, here, token);
  await there.users.update(ada.id, (user) => ({ ...user, bannedAt: clock.now() }));
  await pass(clock, 1_000);
  for (let n = 0; n < 3; n++) assert.equal(await here.upgrade(token), undefined);
  await new UserChanges(there).unban(ada.id);
  assert.equal((await here.upgrade(token))?.id, ada.id);
});

test("a role set on another process applies within a second", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, there, ada, token } = await setUp(kv);
  await warm(clock, here, token);
  await new UserChanges(there).setRoles(ada.id, ["member"]);
  await pass(clock, 1_000);
  assert.deepEqual((await here.upgrade(token))?.roles, ["member"]);
});

test("a connection cannot change the user of another connection", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, ada, token } = await setUp(kv);
  await new UserChanges(here).setRoles(ada.id, ["member"]);
  await warm(clock, here, token);
  const user = (await here.upgrade(token))!;
  assert.throws(() => Object.assign(user, { name: "Eve" }), TypeError);
  assert.throws(() => (user.roles as string[]).push("admin"), TypeError);
});

test("a cached session is still renewed", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, there, session, token } = await setUp(kv);
  clock.pause(IDLE_TTL / 2 - 1_000);
  await warm(clock, here, token);
  for (let at = 0; at < 1_800; at += 300) {
    await pass(clock, 300);
    await here.upgrade(token);
  }
  const renewed = await there.sessions.get(session.id);
  assert.equal(renewed!.lastSeenAt - session.lastSeenAt >= IDLE_TTL / 2, true);
  assert.equal(await here.costOf(token), 0);
});

test("a cached session still expires", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, session, token } = await setUp(kv);
  clock.pause(IDLE_TTL - 1_000);
  for (let n = 0; n < 2; n++) {
    assert.equal((await here.sessions.find(token)).state, "live");
    await pass(clock, 250);
  }
  const { reads } = here;
  await pass(clock, session.expiresAt - 1 - clock.now());
  assert.equal((await here.sessions.find(token)).state, "live");
  await pass(clock, 1);
  assert.equal(here.reads, reads);
  assert.deepEqual(await here.sessions.find(token), { state: "expired" });
});

test("an idle process follows no log, and caches nothing", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, here, token } = await setUp(kv);
  let readings = 0;
  const read = here.controlLog.read.bind(here.controlLog);
  here.controlLog.read = (after) => (readings++, read(after));
  const perSecond = async () => {
    readings = 0;
    await pass(clock, 1_000);
    return readings;
  };
  await warm(clock, here, token);
  assert.ok(await perSecond() >= 4);
  await pass(clock, 4_250);
  assert.equal(await perSecond(), 0);
  assert.equal(await here.costOf(token), 2);
  assert.ok(await perSecond() >= 4);
  here.sessions.close();
  assert.equal(await here.costOf(token), 2);
  assert.equal(await perSecond(), 0, "once it is closed it is followed for nobody");
});
