import assert from "node:assert/strict";
import { test } from "node:test";
import { type KeyValue, MemoryKeyValue } from "@sluice/sluice/kv";
import type { ExternalSessionsOptions } from "../../../lib/sessions/external/external_sessions_options.ts";
import { FaultyLayer, settle } from "@sluice/sluice/testing";
import { internalsOf } from "../../../lib/core/internals.ts";
import { Accounts, type Member } from "../../support/accounts.ts";

const HOUR = 3_600_000;

/** Two processes of an application, and a socket in each, both of one session. */
async function setUp(options: Partial<ExternalSessionsOptions<Member>>) {
  const accounts = new Accounts();
  const [here, there] = [accounts.start(options), accounts.start(options)];
  accounts.signIn("s1", "ada", { expiresAt: accounts.clock.now() + 9 * HOUR });
  const peers = await Promise.all([accounts.open(here, "s1"), accounts.open(there, "s1")]);
  await accounts.pass(300); // The log has been read.
  for (const peer of peers) await peer.receive();
  return { accounts, here, there, peers, [Symbol.dispose]: () => accounts[Symbol.dispose]() };
}

/** A database that can be switched off. */
class BrokenKeyValue extends MemoryKeyValue {
  isDown = false;

  override get: KeyValue["get"] = (key) => this.isDown ? fail() : super.get(key);
  override getMany: KeyValue["getMany"] = (keys) => this.isDown ? fail() : super.getMany(keys);
}

function fail(): Promise<never> {
  return Promise.reject(new Error("the database is down"));
}

test("ExternalSessions.ended() closes sockets of other processes over the layer at once", async () => {
  using set = await setUp({ layer: new FaultyLayer() });
  assert.equal(await set.here.ended("s1"), true);
  await settle();
  for (const peer of set.peers) {
    assert.deepEqual(await peer.closed(), { code: 4401, reason: "signed-out" });
  }
  const answer = await set.accounts.client(set.there, "s1").connect();
  assert.deepEqual(answer, { accepted: false, status: 401, code: "NOT_SIGNED_IN" });
});

test("ExternalSessions.ended() closes sockets of other processes through the database within a second", async () => {
  const layer = new FaultyLayer();
  for (const options of [{}, { layer }]) {
    using set = await setUp({ kv: new MemoryKeyValue(), ...options });
    layer.fault = "unavailable";
    assert.equal(await set.here.ended("s1"), true);
    await set.accounts.pass(400, 200);
    assert.equal((await set.peers[1]!.closed()).code, 4401);
    assert.equal((await set.accounts.client(set.there, "s1").connect()).accepted, false);
    layer.fault = undefined;
  }
});

test("ExternalSessions.ended() uses the layer while the database is down, and stores the end later", async () => {
  await using kv = new BrokenKeyValue();
  using set = await setUp({ kv, layer: new FaultyLayer() });
  const { accounts, here, there, peers } = set;
  kv.isDown = true;
  const ended = here.ended("s1");
  await accounts.pass(200);
  assert.equal(await ended, false, "the database does not have it");
  for (const peer of peers) assert.equal((await peer.closed()).code, 4401);
  const table = [["s1", 401], ["s2", 503]] as const;
  accounts.signIn("s2");
  for (const [sid, status] of table) {
    const answer = await accounts.client(there, sid).connect();
    assert.equal(!answer.accepted && answer.status, status);
  }
  kv.isDown = false;
  await accounts.pass(2_000, 500);
  const later = accounts.start({ kv });
  assert.equal((await accounts.client(later, "s1").connect()).accepted, false);
});

test("ExternalSessions sends an end again when the layer works again", async () => {
  const layer = new FaultyLayer();
  using set = await setUp({ layer });
  const { accounts, here, peers } = set;
  layer.fault = "unavailable";
  assert.equal(await here.ended("s1"), false);
  assert.equal((await peers[0]!.closed()).code, 4401);
  await accounts.pass(3_000, 500);
  assert.equal(await peers[1]!.receivesNothing(), true);
  layer.fault = undefined;
  await accounts.pass(1_000, 500);
  assert.equal((await peers[1]!.closed()).code, 4401);
});

test("ExternalSessions sends an end again for processes that the layer reaches later", async () => {
  const layer = new FaultyLayer();
  using set = await setUp({ layer });
  layer.fault = "unavailable";
  assert.equal(await set.here.ended("s1"), false);
  layer.fault = "drop";
  await set.accounts.pass(1_500, 500);
  layer.fault = undefined;
  await set.accounts.pass(1_500, 500);
  assert.equal((await set.peers[1]!.closed()).code, 4401);
});

test("ExternalSessions asks identify() if a message of the layer is lost or missed", async () => {
  const layer = new FaultyLayer();
  for (const notice of ["recheck", "gap"]) {
    using set = await setUp({ layer, recheckMs: 30_000 });
    const { accounts, here, peers } = set;
    layer.fault = "drop";
    accounts.identities.delete("s1");
    await here.ended("s1");
    await accounts.pass(1_000, 500);
    assert.equal(await peers[1]!.receivesNothing(), true);
    layer.fault = undefined;
    if (notice === "gap") layer.tellGap({ since: 0, until: 1 });
    else await accounts.pass(30_000, 15_000);
    assert.equal((await peers[1]!.closed()).code, 4401);
  }
});

test("ExternalSessions joins a layer that was down at the start, and checks all sessions then", async () => {
  using accounts = new Accounts();
  const layer = new FaultyLayer();
  layer.fault = "unavailable";
  const [here, there] = [accounts.start({ layer }), accounts.start({ layer })];
  for (const sid of ["s1", "s2"]) accounts.signIn(sid);
  const [one, two] = [await accounts.open(there, "s1"), await accounts.open(there, "s2")];
  await one.receive();
  accounts.identities.delete("s1"); // It ended in a process that is gone.
  await accounts.pass(3_000, 1_000);
  assert.equal(await one.receivesNothing(), true);
  layer.fault = undefined;
  await accounts.pass(1_000, 1_000);
  assert.equal((await one.closed()).code, 4401);
  assert.equal(await here.ended("s2"), true);
  await settle();
  assert.equal((await two.closed()).code, 4401);
});

test("ExternalSessions waits a second at most for a layer that does not answer", async () => {
  using accounts = new Accounts();
  const layer = new FaultyLayer();
  layer.fault = "slow";
  accounts.signIn("s1");
  const opening = accounts.open(accounts.start({ layer }), "s1");
  await accounts.pass(1_000, 500);
  assert.equal(await (await opening).receive(), "ADA");
  layer.release();
});

test("ExternalSessions.ended() is not missed by a handshake in another process", async () => {
  const shared: Partial<ExternalSessionsOptions<Member>>[] = [
    { kv: new MemoryKeyValue() },
    { layer: new FaultyLayer() },
  ];
  for (const options of shared) {
    using accounts = new Accounts();
    const [here, there] = [accounts.start(options), accounts.start(options)];
    for (const [at, end] of [() => here.ended("s0"), () => here.endedUser("ada")].entries()) {
      accounts.signIn(`s${at}`);
      accounts.hook = async () => { // It has read the session.
        accounts.hook = () => {};
        accounts.identities.delete("s1");
        await end();
        await settle();
      };
      const answer = await accounts.client(there, `s${at}`).connect();
      assert.deepEqual(answer, { accepted: false, status: 401, code: "NOT_SIGNED_IN" });
    }
  }
});

test("ExternalSessions.ended() is remembered in the database for processes that start later", async () => {
  await using kv = new MemoryKeyValue();
  using accounts = new Accounts();
  const first = accounts.start({ kv });
  accounts.signIn("s1");
  accounts.signIn("s2");
  await first.ended("s1");
  first.close();
  const second = accounts.start({ kv });
  assert.equal((await accounts.client(second, "s1").connect()).accepted, false);
  assert.equal((await accounts.client(second, "s2").connect()).accepted, true);
  const other = accounts.start({ kv, name: "api-keys" });
  assert.equal(
    (await accounts.client(other, "s1").connect()).accepted,
    true,
    "its ids are its own",
  );
});

test("ExternalSessions.ended() stores a replayed end once", async () => {
  await using kv = new MemoryKeyValue();
  using accounts = new Accounts();
  const sessions = accounts.start({ kv });
  for (let at = 0; at < 20; at++) await sessions.ended("s1");
  const { entries } = await kv.list({ prefix: ["external", "control_log"] });
  assert.equal(entries.length, 1);
});

test("ExternalSessions remembers a bounded number of ended sessions in memory", async () => {
  using accounts = new Accounts();
  const sessions = accounts.start();
  for (let at = 0; at < 200_000; at++) await sessions.ended(`s${at}`);
  for (
    const [sid, isRefused] of [["s99999", false], ["s100000", true], ["s199999", true]] as const
  ) {
    accounts.signIn(sid);
    assert.equal(!(await accounts.client(sessions, sid).connect()).accepted, isRefused, sid);
  }
});

test("ExternalSessions ignores malformed messages of the layer", async () => {
  const layer = new FaultyLayer();
  using set = await setUp({ layer });
  const valid = { type: "ended", sessionId: "s1", reason: "revoked", until: Date.now() };
  const malformed = [
    null,
    "s1",
    { ...valid, type: "renewed" },
    { ...valid, sessionId: ["s1"] },
    { ...valid, until: "later" },
    { ...valid, reason: "<script>" },
    { type: "user-ended", userId: "", reason: "revoked" },
  ];
  const send = (data: unknown) =>
    internalsOf(layer).groupSend("sluice.ended.external", { type: "sluice.ended", data });
  for (const data of malformed) await send(data);
  await settle();
  for (const peer of set.peers) assert.equal(await peer.receivesNothing(), true);
  await send(valid);
  for (const peer of set.peers) assert.equal((await peer.closed()).code, 4401);
});
