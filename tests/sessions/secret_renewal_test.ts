import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type FoundSession,
  MemorySessionStore,
  type Session,
  type SessionEvent,
  Sessions,
  type SessionStore,
} from "../../lib/sessions/mod.ts";
import { KvControlLog } from "../../lib/sessions/revocation/kv_control_log.ts";
import { KvSessionStore } from "../../lib/sessions/kv_session_store.ts";
import { FakeClock } from "../../lib/testing/fake_clock.ts";
import { FakeConnection } from "../support/fake_connection.ts";
import { FakeLog } from "../support/fake_log.ts";
import { MemoryKeyValue } from "../../lib/kv/mod.ts";

const DAY = 24 * 3_600_000;
const HOUR = 3_600_000;
const ada = { userId: "ada", provider: "dev" };

/** Two processes with one store, and a session whose secret is a day old. */
async function setUp(store?: (clock: FakeClock) => SessionStore) {
  const clock = new FakeClock();
  const kept = store?.(clock) ?? new MemorySessionStore({ clock });
  const [here, there] = [1, 2].map(() => new Sessions(kept, { clock, log: new FakeLog() }));
  const events: SessionEvent[] = [];
  here!.events.subscribe((event) => events.push(event));
  const { token } = await here!.create(ada);
  await clock.advance(DAY);
  return { clock, store: kept, here: here!, there: there!, events, token };
}

async function sessionOf(sessions: Sessions, token: string | undefined): Promise<Session> {
  const found = await sessions.find(token);
  assert.ok(found.state === "live");
  return found.session;
}

/** Returns the replacing token without its tag, which depends on the day's key. */
function renewedTokenOf(found: FoundSession): string | undefined {
  return found.state === "live" ? withoutTag(found.renewedToken) : undefined;
}

function withoutTag(token: string | undefined): string | undefined {
  return token?.slice(0, 60);
}

test("Sessions.renewSecret() returns the same new token for every request with the old one", async () => {
  const { here, there, token } = await setUp();
  const session = await sessionOf(here, token);
  const renewed = await Promise.all(
    [here, there, here].map((sessions) => sessions.renewSecret(session, token)),
  );
  assert.equal(new Set(renewed.map((each) => each?.token)).size, 1);
  assert.deepEqual(renewed.map((each) => each?.isNew).sort(), [false, false, true]);
  assert.notEqual(renewed[0]?.token, token);
});

test("Sessions.find() accepts the old token, and returns the new one, until that is seen", async () => {
  const { here, there, clock, token } = await setUp();
  const renewed = await here.renewSecret(await sessionOf(here, token), token);
  for (let hour = 0; hour < 48; hour++) {
    await clock.advance(HOUR);
    for (const sessions of [here, there]) {
      const found = await sessions.find(token);
      assert.equal(renewedTokenOf(found), withoutTag(renewed?.token), `hour ${hour}`);
      if (found.state === "live") await sessions.touch(found.session);
    }
  }
  assert.equal((await there.find(renewed?.token)).state, "live");
  const found = await here.find(token);
  assert.deepEqual([found.state, renewedTokenOf(found)], ["live", undefined]);
});

test("Sessions.find() accepts the old token for 10 s after the new one is seen, then ends the session", async () => {
  const { here, there, clock, events, token } = await setUp();
  const socket = new FakeConnection();
  const session = await sessionOf(here, token);
  here.connections.subscribe(session.id, socket);
  here.connections.track(session);
  socket.accept();
  const renewed = await here.renewSecret(session, token);
  assert.equal((await there.find(renewed?.token)).state, "live");
  await clock.advance(9_999);
  assert.equal((await here.find(token)).state, "live");
  assert.equal((await there.find(renewed?.token)).state, "live");
  await clock.advance(1);
  events.length = 0;
  assert.deepEqual(await here.find(token), { state: "unknown" });
  assert.deepEqual(await here.find(renewed?.token), { state: "unknown" });
  const { id: sessionId } = session;
  assert.deepEqual(events, [{ type: "ended", sessionId, userId: "ada", reason: "stolen" }]);
  assert.equal(socket.ended?.code, 4401);
});

test("Sessions.find() ends the session even for a token from several renewals ago", async () => {
  const { here, clock, events, token } = await setUp();
  let current = token;
  for (let day = 0; day < 5; day++) {
    const renewed = await here.renewSecret(await sessionOf(here, current), current);
    current = renewed!.token;
    await clock.advance(DAY);
  }
  await sessionOf(here, current);
  assert.equal((await here.find(token)).state, "unknown");
  assert.deepEqual(events.map((event) => event.type === "ended" && event.reason).at(-1), "stolen");
  assert.equal((await here.find(current)).state, "unknown");
});

test("Sessions.find() ends no session for a wrong secret, or one that was never issued", async () => {
  const { here, clock, events, token } = await setUp();
  const session = await sessionOf(here, token);
  await here.renewSecret(session, token);
  const other = await here.create(ada);
  const mixed = `${session.id}${other.token.slice(16)}`;
  assert.deepEqual(await here.find(mixed), { state: "unknown" });
  await clock.advance(DAY);
  assert.equal((await here.find(token)).state, "live");
  assert.ok(events.every(({ type }) => type !== "ended"));
});

test("SessionLookup.recall() and find() store the first use of a new token", async () => {
  await using kv = new MemoryKeyValue();
  const clock = new FakeClock();
  const controlLog = new KvControlLog(kv);
  const store = new KvSessionStore(kv, { clock, controlLog });
  const sessions = new Sessions(store, { clock, controlLog, log: new FakeLog() });
  const { token } = await sessions.create(ada);
  await clock.advance(DAY);
  const renewed = await sessions.renewSecret(await sessionOf(sessions, token), token);
  assert.equal(sessions.lookup.recall(renewed?.token), undefined);
  await sessions.find(renewed?.token);
  assert.equal((await store.get(token.slice(0, 16)))?.previousUntil, clock.now() + 10_000);
  await clock.advance(10_000);
  assert.equal(sessions.lookup.recall(token), undefined);
  assert.equal((await sessions.find(token)).state, "unknown");
  sessions.close();
});

test("Sessions.find() accepts the new token even if its first use cannot be stored", async () => {
  const { here, store, clock, token } = await setUp();
  const renewed = await here.renewSecret(await sessionOf(here, token), token);
  const { update } = store;
  store.update = () => Promise.reject(new Error("read only"));
  assert.equal((await here.find(renewed?.token)).state, "live");
  store.update = update;
  await clock.advance(11_000);
  assert.equal((await here.find(token)).state, "live");
});

test("Sessions.renewSecret() does not lengthen a session beyond its absolute limit", async () => {
  const { here, clock, token } = await setUp();
  const { createdAt } = await sessionOf(here, token);
  let current = token;
  for (let day = 1; day < 30; day++) {
    const renewed = await here.renewSecret(await sessionOf(here, current), current);
    assert.ok(renewed!.session.expiresAt <= createdAt + 30 * DAY);
    current = renewed!.token;
    await clock.advance(DAY);
  }
  assert.deepEqual(await here.find(current), { state: "expired" });
});

test("Sessions.renewSecret() returns nothing for another session's token, an old one, or an ended session", async () => {
  const { here, clock, token } = await setUp();
  const session = await sessionOf(here, token);
  const other = await here.create({ userId: "eve", provider: "dev" });
  assert.equal(await here.renewSecret(session, other.token), undefined);
  assert.equal(await here.renewSecret(other.session, other.token), undefined, "it is young");
  const renewed = await here.renewSecret(session, token);
  await sessionOf(here, renewed?.token);
  await clock.advance(DAY);
  assert.equal(await here.renewSecret(renewed!.session, token), undefined);
  await here.end(session.id, "signed-out");
  assert.equal(await here.renewSecret(renewed!.session, renewed!.token), undefined);
});

test("Sessions stores nothing from which a token could be derived", async () => {
  const { here, store, token } = await setUp();
  const renewed = await here.renewSecret(await sessionOf(here, token), token);
  const stored = JSON.stringify(await store.get(token.slice(0, 16)));
  for (const each of [token, renewed!.token]) {
    assert.ok(!stored.includes(each.slice(17, 60)));
  }
  await sessionOf(here, renewed!.token);
  assert.equal((await store.get(token.slice(0, 16)))?.renewalSalt, undefined);
});
