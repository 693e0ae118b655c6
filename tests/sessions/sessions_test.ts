import assert from "node:assert/strict";
import { test } from "node:test";
import {
  MemorySessionStore,
  type Session,
  type SessionEvent,
  Sessions,
  type SessionStore,
} from "../../lib/sessions/mod.ts";
import { FakeClock } from "../../lib/testing/fake_clock.ts";
import { FakeLog } from "../support/fake_log.ts";
import { tampered } from "../support/malformed.ts";

const IDLE = 10_000;
const MAX = 35_000;

function setUp(
  options: { store?: (clock: FakeClock) => SessionStore; maxPerUser?: number } = {},
) {
  const clock = new FakeClock();
  const log = new FakeLog();
  const store = options.store?.(clock) ?? new MemorySessionStore({ clock });
  const sessions = new Sessions(store, {
    idleTtlMs: IDLE,
    maxTtlMs: MAX,
    clock,
    log,
    ...options.maxPerUser === undefined ? {} : { maxPerUser: options.maxPerUser },
  });
  const events: SessionEvent[] = [];
  sessions.subscribe((event) => events.push(event));
  return { clock, log, store, sessions, events };
}

const ada = { userId: "ada", provider: "dev", userAgent: "Browser", address: "192.0.2.1" };

test("Sessions.create() creates a session that its token finds", async () => {
  const { sessions, clock } = setUp();
  const { session, token } = await sessions.create(ada);
  assert.deepEqual(await sessions.find(token), { state: "live", session });
  assert.equal(session.expiresAt, clock.now() + IDLE);
  assert.equal(session.userId, "ada");
  assert.ok(token.startsWith(`${session.id}.`));
});

test("Sessions.create() never gives two sessions the same id or secret", async () => {
  const { sessions } = setUp();
  const tokens = await Promise.all(Array.from({ length: 100 }, () => sessions.create(ada)));
  const parts = tokens.flatMap(({ token }) => token.split("."));
  assert.equal(new Set(parts).size, 200);
});

test("Sessions.create() cuts and cleans the user agent", async () => {
  const { sessions } = setUp();
  const { session } = await sessions.create({
    ...ada,
    userAgent: `a\u0000\r\n\u001b[31m${"x".repeat(9000)}`,
    address: "9".repeat(500),
  });
  assert.match(session.userAgent, /^a\[31mx+$/);
  assert.equal(session.userAgent.length, 256);
  assert.equal(session.address?.length, 64);
});

test("Sessions.create() stores no secret", async () => {
  const { sessions, store } = setUp();
  const { session, token } = await sessions.create(ada);
  const stored = JSON.stringify(await store.get(session.id));
  assert.ok(!stored.includes(token.split(".")[1]!));
});

test("Sessions.find() reports expired once the session was idle for its limit, not before", async () => {
  const { sessions, clock } = setUp();
  const { token } = await sessions.create(ada);
  await clock.advance(IDLE - 1);
  assert.equal((await sessions.find(token)).state, "live");
  await clock.advance(1);
  assert.deepEqual(await sessions.find(token), { state: "expired" });
});

test("Sessions.find() reports even a busy session as expired at the absolute limit", async () => {
  const { sessions, clock } = setUp();
  const { token } = await sessions.create(ada);
  for (let at = 0; at < MAX; at += 5000) {
    const found = await sessions.find(token);
    assert.equal(found.state, "live");
    if (found.state === "live") await sessions.touch(found.session);
    await clock.advance(5000);
  }
  assert.deepEqual(await sessions.find(token), { state: "expired" });
});

test("Sessions.find() applies the current lifetimes, not those of sign-in", async () => {
  const { sessions, clock, store, log } = setUp();
  const { token } = await sessions.create(ada);
  const stricter = new Sessions(store, { idleTtlMs: 1000, maxTtlMs: MAX, clock, log });
  await clock.advance(1000);
  assert.equal((await stricter.find(token)).state, "expired");
});

test("Sessions.find() does not touch the store for a token of the wrong shape", async () => {
  let reads = 0;
  const { sessions } = setUp({
    store: (clock) => {
      const store = new MemorySessionStore({ clock });
      const get = store.get.bind(store);
      store.get = (id) => (reads++, get(id));
      return store;
    },
  });
  const { token } = await sessions.create(ada);
  const wrong = [
    undefined,
    "",
    ".",
    token.slice(1),
    `${token}A`,
    ` ${token}`.slice(0, 60),
    token.replace(".", ":"),
    `${token.slice(0, -1)}\n`,
    `${token.slice(0, -1)}é`,
    `${"../".repeat(20)}`,
    "A".repeat(1_000_000),
    token.split(".")[0],
  ];
  for (const each of wrong) assert.deepEqual(await sessions.find(each), { state: "unknown" });
  assert.equal(reads, 0);
  await sessions.find(token);
  assert.equal(reads, 1);
});

test("Sessions.find() finds nothing for a token with any character changed", async () => {
  const { sessions } = setUp();
  const { token } = await sessions.create(ada);
  for (let index = 0; index < token.length; index++) {
    if (index === 16) continue;
    assert.deepEqual(await sessions.find(tampered(token, index)), { state: "unknown" }, `${index}`);
  }
});

test("Sessions.find() does not mix the id of one session with the secret of another", async () => {
  const { sessions } = setUp();
  const [one, two] = [await sessions.create(ada), await sessions.create(ada)];
  const mixed = `${one.session.id}.${two.token.split(".")[1]}`;
  assert.deepEqual(await sessions.find(mixed), { state: "unknown" });
});

test("Sessions.find() reports an expired session only with its secret", async () => {
  const { sessions, clock } = setUp();
  const { token } = await sessions.create(ada);
  await clock.advance(IDLE);
  assert.deepEqual(await sessions.find(tampered(token, 40)), { state: "unknown" });
});

test("Sessions.find() rejects if the store cannot be read", async () => {
  const { sessions } = setUp({ store: () => new BrokenStore() });
  const { token } = await sessions.create(ada);
  await assert.rejects(sessions.find(token), /store is down/);
});

test("Sessions.touch() writes once within half of the idle limit", async () => {
  let writes = 0;
  const { sessions, clock, events } = setUp({
    store: (clock) => {
      const store = new MemorySessionStore({ clock });
      const update = store.update.bind(store);
      store.update = (id, change) => (writes++, update(id, change));
      return store;
    },
  });
  let session: Session | undefined = (await sessions.create(ada)).session;
  for (let second = 0; second < 9; second++) {
    await clock.advance(1000);
    session = await sessions.touch(session!);
  }
  assert.equal(writes, 1);
  assert.deepEqual(events, [{ type: "renewed", session }]);
  assert.equal(session?.expiresAt, session!.lastSeenAt + IDLE);
});

test("Sessions.touch() writes at most hourly if the idle limit is long", () => {
  const sessions = new Sessions(new MemorySessionStore(), { log: new FakeLog() });
  assert.equal(sessions.renewEveryMs, 3_600_000);
});

test("Sessions.touch() does not restore an expired or ended session", async () => {
  const { sessions, clock, events } = setUp();
  const { session, token } = await sessions.create(ada);
  await clock.advance(IDLE);
  assert.equal(await sessions.touch(session), undefined);
  assert.equal((await sessions.find(token)).state, "expired");
  await sessions.end(session.id, "signed-out");
  assert.equal(await sessions.touch(session), undefined);
  assert.deepEqual(events.map((event) => event.type), ["ended"]);
});

test("Sessions.touch() counts from when the session was seen", async () => {
  const { sessions, clock } = setUp();
  const { session } = await sessions.create(ada);
  await clock.advance(IDLE);
  const renewed = await sessions.touch(session, { seenAt: clock.now() - 4000 });
  assert.equal(renewed?.expiresAt, clock.now() - 4000 + IDLE);
});

test("Sessions.touch() never moves a session's last use back", async () => {
  const { sessions, clock } = setUp();
  const { session } = await sessions.create(ada);
  await clock.advance(6000);
  const renewed = await sessions.touch(session);
  const late = await sessions.touch(session, { seenAt: clock.now() - 1000 });
  assert.equal(late?.lastSeenAt, renewed?.lastSeenAt);
});

test("Sessions.end() ends a session and announces it once", async () => {
  const { sessions, events } = setUp();
  const { session, token } = await sessions.create(ada);
  const ends = await Promise.all([
    sessions.end(session.id, "signed-out"),
    sessions.end(session.id, "signed-out"),
  ]);
  assert.deepEqual(ends.sort(), [false, true]);
  assert.deepEqual(await sessions.find(token), { state: "unknown" });
  assert.deepEqual(events, [
    { type: "ended", sessionId: session.id, userId: "ada", reason: "signed-out" },
  ]);
});

test("Sessions.end() does not end another user's session", async () => {
  const { sessions, events } = setUp();
  const { session, token } = await sessions.create(ada);
  assert.equal(await sessions.end(session.id, "revoked", { userId: "eve" }), false);
  assert.equal((await sessions.find(token)).state, "live");
  assert.equal(events.length, 0);
  assert.equal(await sessions.end(session.id, "revoked", { userId: "ada" }), true);
});

test("Sessions.end() ignores a malformed id", async () => {
  const { sessions } = setUp({ store: () => new BrokenStore() });
  for (const id of ["", "../x", "a".repeat(5000), "a".repeat(15)]) {
    assert.equal(await sessions.end(id, "revoked"), false);
  }
});

test("Sessions.end() announces nothing before the store has confirmed it", async () => {
  const { sessions, events } = setUp({ store: () => new BrokenStore() });
  await assert.rejects(sessions.end("A".repeat(16), "revoked"), /store is down/);
  assert.equal(events.length, 0);
});

test("Sessions.endAll() ends every session of a user but one", async () => {
  const { sessions, events } = setUp();
  const kept = await sessions.create(ada);
  const others = [await sessions.create(ada), await sessions.create(ada)];
  const eve = await sessions.create({ ...ada, userId: "eve" });
  assert.equal(await sessions.endAll("ada", { except: kept.session.id }), 2);
  for (const { token } of others) assert.equal((await sessions.find(token)).state, "unknown");
  for (const { token } of [kept, eve]) assert.equal((await sessions.find(token)).state, "live");
  assert.equal(events.length, 2);
});

test("Sessions.endAll() voids the approvals of the kept session, and no other user's", async () => {
  const { sessions } = setUp();
  const kept = await sessions.create(ada);
  const eve = await sessions.create({ ...ada, userId: "eve" });
  const revocations = async (id: string) => (await sessions.get(id))?.revocations;
  await sessions.endAll("ada", { except: kept.session.id });
  assert.equal(await revocations(kept.session.id), 1);
  await sessions.endAll("ada", { except: eve.session.id });
  assert.equal(await revocations(eve.session.id), 0);
  assert.equal(await revocations(kept.session.id), undefined);
});

test("Sessions.create() counts browsers and programs separately", async () => {
  const { clock, sessions } = setUp({ maxPerUser: 2 });
  const begin = async (kind: "browser" | "program") => {
    clock.pause(1);
    return (await sessions.create({ ...ada, kind })).token;
  };
  const browsers = [await begin("browser"), await begin("browser")];
  const programs = [await begin("program"), await begin("program"), await begin("program")];
  const states = async (tokens: string[]) =>
    await Promise.all(tokens.map(async (token) => (await sessions.find(token)).state));
  assert.deepEqual(await states(browsers), ["live", "live"]);
  assert.deepEqual(await states(programs), ["unknown", "live", "live"]);
  await begin("browser");
  assert.deepEqual(await states([...browsers, ...programs]), [
    "unknown",
    "live",
    "unknown",
    "live",
    "live",
  ]);
});

test("Sessions.create() counts the absolute limit from the given sign-in time", async () => {
  const { clock, sessions } = setUp();
  const signedInAt = clock.now() - MAX + 1_000;
  const { session, token } = await sessions.create({ ...ada, signedInAt });
  assert.equal(session.expiresAt, clock.now() + 1_000);
  const renewed = await sessions.rotate(session.id);
  assert.equal(renewed?.session.expiresAt, clock.now() + 1_000);
  clock.pause(1_000);
  assert.equal((await sessions.find(token)).state, "expired");
});

test("Sessions.list() returns the live sessions of a user", async () => {
  const { sessions, clock } = setUp();
  await sessions.create(ada);
  await clock.advance(IDLE / 2);
  const { session } = await sessions.create(ada);
  await clock.advance(IDLE / 2);
  assert.deepEqual(await sessions.list("ada"), [session]);
});

test("Sessions.subscribe() calls the other listeners if one throws", async () => {
  const { sessions, log } = setUp();
  let heard = 0;
  sessions.subscribe(() => {
    throw new Error("a bug");
  });
  const stop = sessions.subscribe(() => heard++);
  await sessions.end((await sessions.create(ada)).session.id, "revoked");
  stop();
  await sessions.end((await sessions.create(ada)).session.id, "revoked");
  assert.equal(heard, 1);
  assert.match(log.text, /a listener for sessions failed.*a bug/);
});

test("new Sessions() refuses lifetimes that are not positive", () => {
  for (const idleTtlMs of [0, -1, NaN]) {
    assert.throws(
      () => new Sessions(new MemorySessionStore(), { idleTtlMs, log: new FakeLog() }),
      RangeError,
    );
  }
});

class BrokenStore extends MemorySessionStore {
  override get = () => Promise.reject(new Error("store is down"));
  override delete = () => Promise.reject(new Error("store is down"));
}
