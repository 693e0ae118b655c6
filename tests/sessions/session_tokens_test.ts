import assert from "node:assert/strict";
import { test } from "node:test";
import { MemorySessionStore, Sessions, type SessionStore } from "../../lib/sessions/mod.ts";
import { KvSessionStore } from "../../lib/sessions/kv_session_store.ts";
import { FakeClock } from "../../lib/testing/fake_clock.ts";
import { FakeLog } from "../support/fake_log.ts";
import { filler, tampered } from "../support/malformed.ts";
import { type KeyValue, listAll, MemoryKeyValue } from "../../lib/kv/mod.ts";

const DAY = 24 * 3_600_000;
const ada = { userId: "ada", provider: "dev" };

/** A store that counts its calls. */
class CountingStore extends MemorySessionStore {
  reads = 0;
  keyReads = 0;
  override get = (id: string) => (this.reads++, super.get(id));
  override addTagKey: MemorySessionStore["addTagKey"] = (key) => {
    this.keyReads++;
    return super.addTagKey(key);
  };
  override tagKeys: MemorySessionStore["tagKeys"] = () => {
    this.keyReads++;
    return super.tagKeys();
  };
}

function sessionsOver(store: SessionStore, clock: FakeClock): Sessions {
  return new Sessions(store, { clock, log: new FakeLog() });
}

test("Sessions.find() reads nothing for a token that no server with this store wrote", async () => {
  const clock = new FakeClock();
  const store = new CountingStore({ clock });
  const sessions = sessionsOver(store, clock);
  const { token } = await sessions.create(ada);
  const foreign = await sessionsOver(new MemorySessionStore({ clock }), clock).create(ada);
  const period = token.slice(60, 64);
  const madeUp = [
    foreign.token,
    token.slice(0, 60),
    `${"A".repeat(16)}.${filler(32)}`,
    `${"A".repeat(16)}${token.slice(16)}`,
    `${token.slice(0, 60)}${"A".repeat(16)}`,
    `${token.slice(0, 60)}${period}${"A".repeat(12)}`,
    `${token.slice(0, 60)}${"_".repeat(16)}`,
    `${foreign.token.slice(0, 60)}${token.slice(60)}`,
    `${token}A`,
    ...Array.from({ length: token.length }, (_, at) => tampered(token, at)),
  ];
  // The other store's first tokens use keys of the same day.
  const { keyReads } = store;
  for (const each of madeUp) assert.deepEqual(await sessions.find(each), { state: "unknown" });
  assert.equal(store.reads, 0);
  assert.ok(store.keyReads - keyReads <= 2, `${store.keyReads - keyReads} reads of keys`);
  assert.equal((await sessions.find(token)).state, "live");
});

test("Sessions.find() reads keys at most once, regardless of the key ids in tokens", async () => {
  const clock = new FakeClock();
  const store = new CountingStore({ clock });
  const { token } = await sessionsOver(store, clock).create(ada);
  await clock.advance(3 * DAY);
  store.keyReads = 0;
  const sessions = sessionsOver(store, clock);
  const periods = Array.from({ length: 400 }, (_, n) => (n * 100).toString(36).padStart(4, "0"));
  for (const name of [...periods, ...Array(10).fill("----"), ...Array(10).fill("1_-A")]) {
    await sessions.find(`${token.slice(0, 60)}${name}${"A".repeat(12)}`);
  }
  assert.equal(store.reads, 0);
  assert.ok(store.keyReads <= 2, `${store.keyReads} reads of keys`);
  assert.equal((await sessions.find(token)).state, "live");
});

test("Sessions finds a token with another process's new key, even while flooded", async () => {
  const clock = new FakeClock();
  const store = new CountingStore({ clock });
  const [here, there] = [sessionsOver(store, clock), sessionsOver(store, clock)];
  const flood = () => here.find(`${"A".repeat(16)}.${filler(32)}zzzz${"A".repeat(12)}`);
  for (let day = 0; day < 5; day++) {
    await flood();
    const { token } = await there.create(ada);
    assert.equal((await here.find(token)).state, "live", `day ${day}`);
    await clock.advance(DAY);
  }
});

test("Sessions of two processes that create the first key at once accept each other's tokens", async () => {
  await using kv = new MemoryKeyValue();
  const clock = new FakeClock();
  const both = [1, 2].map(() => sessionsOver(new KvSessionStore(kv, { clock }), clock));
  const created = await Promise.all(both.map((sessions) => sessions.create(ada)));
  for (const sessions of both) {
    for (const { token } of created) assert.equal((await sessions.find(token)).state, "live");
  }
});

test("Sessions accepts a token across a change of the key, and with clocks that differ", async () => {
  const clock = new FakeClock(20_000 * DAY - 1_000);
  const behind = new FakeClock(20_000 * DAY - 200_000);
  const store = new MemorySessionStore({ clock });
  const sessions = sessionsOver(store, clock);
  const before = await sessions.create(ada);
  await clock.advance(2_000);
  const after = await sessions.create(ada);
  const late = sessionsOver(store, behind);
  for (const { token } of [before, after]) {
    assert.equal((await sessions.find(token)).state, "live");
    assert.equal((await late.find(token)).state, "live");
  }
});

test("Sessions rejects while it cannot read keys, and recovers", async () => {
  const clock = new FakeClock();
  const store = new CountingStore({ clock });
  const { token } = await sessionsOver(store, clock).create(ada);
  const add = store.addTagKey;
  store.addTagKey = () => Promise.reject(new Error("store is down"));
  const sessions = sessionsOver(store, clock);
  await assert.rejects(sessions.find(token), /store is down/);
  store.addTagKey = add;
  assert.equal((await sessions.find(token)).state, "live");
});

test("Sessions accepts tokens from before tags existed for the lifetime of a session", async () => {
  await using kv = new MemoryKeyValue();
  const clock = new FakeClock();
  const before = sessionsOver(new KvSessionStore(kv, { clock }), clock);
  const { token } = await before.create(ada);
  const untagged = token.slice(0, 60);
  await forgetKeys(kv);

  let reads = 0;
  const store = new KvSessionStore(kv, { clock });
  const get = store.get.bind(store);
  store.get = (id) => (reads++, get(id));
  const sessions = new Sessions(store, {
    clock,
    log: new FakeLog(),
    idleTtlMs: 40 * DAY,
    maxTtlMs: 30 * DAY,
  });
  assert.equal((await sessions.find(untagged)).state, "live");
  await clock.advance(29 * DAY);
  assert.equal((await sessions.find(untagged)).state, "live");
  await clock.advance(DAY);
  reads = 0;
  assert.equal((await sessions.find(untagged)).state, "unknown");
  assert.equal(reads, 0);
});

test("Sessions gives a browser a tagged token when its secret is renewed", async () => {
  await using kv = new MemoryKeyValue();
  const clock = new FakeClock();
  const { token } = await sessionsOver(new KvSessionStore(kv, { clock }), clock).create(ada);
  await forgetKeys(kv);
  const sessions = sessionsOver(new KvSessionStore(kv, { clock }), clock);
  await clock.advance(DAY);
  const untagged = token.slice(0, 60);
  const found = await sessions.find(untagged);
  assert.ok(found.state === "live");
  const renewed = await sessions.renewSecret(found.session, untagged);
  assert.equal(renewed?.token.length, token.length);
  assert.equal((await sessions.find(renewed?.token)).state, "live");
});

/** Sets up a database as the previous release left it: with sessions, but no keys. */
async function forgetKeys(kv: KeyValue): Promise<void> {
  for await (const { key } of listAll(kv, { prefix: ["session_tag_keys"] })) await kv.delete(key);
  await kv.delete(["session_tags_began"]);
}
