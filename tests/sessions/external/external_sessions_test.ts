import assert from "node:assert/strict";
import { test } from "node:test";
import { Consumer, origins, Refusal, requireUser, route, stack } from "@sluice/sluice";
import { Audit } from "@sluice/sluice/auth";
import { MemoryKeyValue } from "@sluice/sluice/kv";
import { communicate, type FakeClock } from "@sluice/sluice/testing";
import { Accounts, type Member } from "../../support/accounts.ts";

const HOUR = 3_600_000;

/** Never resolves; lets the time for an answer pass. */
function late(clock: FakeClock): Promise<void> {
  clock.advance(5_000).catch(() => {});
  return new Promise(() => {});
}

test("ExternalSessions puts the user and the session that identify() returned into the scope", async () => {
  using accounts = new Accounts();
  accounts.signIn("s1");
  const peer = await accounts.open(accounts.start(), "s1");
  assert.equal(await peer.receive(), "ADA");
});

test("ExternalSessions refuses requests without a session, with an expired or a failing one", async () => {
  using accounts = new Accounts();
  const { clock, log } = accounts;
  accounts.signIn("old", "ada", { expiresAt: new Date(clock.now()) });
  const table: [cookie: string, hook: () => unknown, status: number, code: string][] = [
    ["none", () => {}, 401, "NOT_SIGNED_IN"],
    ["old", () => {}, 401, "SESSION_EXPIRED"],
    ["old", () => Promise.reject(new Error("postgres://u:hunter2@db")), 503, "UNAVAILABLE"],
    [
      "old",
      () => late(clock),
      503,
      "UNAVAILABLE",
    ],
    ["old", () => Promise.reject(new Refusal("FORBIDDEN")), 403, "FORBIDDEN"],
  ];
  const sessions = accounts.start();
  for (const [cookie, hook, status, code] of table) {
    accounts.hook = hook;
    const client = accounts.client(sessions, cookie);
    assert.deepEqual(await client.connect(), { accepted: false, status, code });
    const body = await (await client.request()).text();
    assert.doesNotMatch(body, /hunter2/);
  }
  assert.match(log.text, /identify\(\) failed/);
  accounts.hook = () => {};
  for (const nothing of [undefined, null, "", false]) { // Such as from `cookie && {…}`.
    accounts.identities.set("nothing", nothing);
    const answer = await accounts.client(sessions, "nothing").connect();
    assert.deepEqual(answer, { accepted: false, status: 401, code: "NOT_SIGNED_IN" });
  }
});

test("ExternalSessions refuses invalid identities, and the log names the field without its value", async () => {
  using accounts = new Accounts();
  const { clock, log } = accounts;
  const expiresAt = clock.now() + HOUR;
  const valid = { sessionId: "s1", userId: "ada", expiresAt };
  const table: [identity: unknown, message: RegExp][] = [
    ["ada", /a value of type string instead of an identity/],
    [{ userId: "ada", expiresAt }, /sessionId is undefined/],
    [{ ...valid, sessionId: "" }, /sessionId has 0 characters/],
    [{ ...valid, sessionId: 7 }, /sessionId is a value of type number/],
    [{ ...valid, sessionId: "x".repeat(10_240) }, /sessionId has 10240 characters/],
    [{ ...valid, sessionId: "secret\nforged line" }, /sessionId has control characters/],
    [{ ...valid, sessionId: "secret\u2028" }, /sessionId has control characters/],
    [{ ...valid, sessionId: "secret\ud800" }, /sessionId .* not valid Unicode/],
    [{ ...valid, userId: null }, /userId is null/],
    [{ ...valid, userId: "secret\u0000" }, /userId has control characters/],
    [{ ...valid, expiresAt: NaN }, /expiresAt is not a valid time/],
    [{ ...valid, expiresAt: Infinity }, /expiresAt is not a valid time/],
    [{ ...valid, expiresAt: new Date(NaN) }, /expiresAt is not a valid time/],
    [{ ...valid, expiresAt: "2030-01-01" }, /expiresAt is a value of type string/],
    [{ ...valid, expiresAt: Math.floor(expiresAt / 1000) }, /not in seconds/],
    [{ ...valid, expiresAt: undefined }, /expiresAt is undefined/],
    [{ ...valid, user: "secret" }, /user is a value of type string/],
    [{ ...valid, user: { id: "secret" } }, /userId and user\.id differ/],
  ];
  const sessions = accounts.start();
  for (const [identity, message] of table) {
    log.lines.length = 0;
    accounts.identities.set("x", identity);
    const answer = await accounts.client(sessions, "x").connect();
    assert.deepEqual(answer, { accepted: false, status: 500, code: "INTERNAL" }, String(message));
    assert.match(log.text, message);
    assert.match(log.text, /IDENTITY_INVALID/);
    assert.ok(log.lines.every(({ fields }) => fields?.error === undefined), "one line, no stack");
    assert.doesNotMatch(log.text, /secret/);
  }
});

test("ExternalSessions accepts unusual ids, and adds the id to a user without one", async () => {
  using accounts = new Accounts();
  const sessions = accounts.start();
  for (const id of ["x".repeat(256), "a b/../%2e", "Zoë 🙂", "__proto__"]) {
    accounts.signIn("x", id, { sessionId: id, user: { name: "N" } as Member });
    const peer = await accounts.open(sessions, "x");
    assert.equal(await peer.receive(), "N");
    assert.equal(await sessions.ended(id), true);
    assert.equal((await peer.closed()).code, 4401);
  }
  accounts.identities.set("n", {
    sessionId: "n",
    userId: "7",
    expiresAt: accounts.clock.now() + HOUR,
    user: { id: 7, name: "Seven" } as unknown as Member,
  });
  assert.equal(await (await accounts.open(sessions, "n")).receive(), "Seven");
});

test("ExternalSessions.ended() closes all sockets of the session, and no others", async () => {
  using accounts = new Accounts();
  const sessions = accounts.start();
  for (const sid of ["s1", "s2"]) accounts.signIn(sid);
  const [one, two, other] = await Promise.all(
    ["s1", "s1", "s2"].map((sid) => accounts.open(sessions, sid)),
  );
  assert.equal(await sessions.ended("s1"), true);
  assert.deepEqual(await one!.closed(), { code: 4401, reason: "signed-out" });
  assert.deepEqual(await two!.closed(), { code: 4401, reason: "signed-out" });
  await other!.receive();
  assert.equal(await other!.receivesNothing(), true);
});

test("ExternalSessions.ended() refuses the session although identify() returns it, until a given time", async () => {
  using accounts = new Accounts();
  const sessions = accounts.start();
  const until = accounts.clock.now() + 4 * HOUR;
  for (const sid of ["hour", "given", "past"]) {
    accounts.signIn(sid, "ada", { expiresAt: accounts.clock.now() + 9 * HOUR });
  }
  await sessions.ended("hour", { reason: "revoked" });
  await sessions.ended("given", { until: new Date(until) });
  await sessions.ended("past", { until: accounts.clock.now() - HOUR });
  const refused = async (sid: string) => {
    const client = accounts.client(sessions, sid);
    const { accepted } = await client.connect();
    return !accepted;
  };
  assert.deepEqual(await Promise.all(["hour", "given", "past"].map(refused)), [true, true, true]);
  accounts.clock.setBack(-60_000);
  assert.deepEqual(await Promise.all(["hour", "given", "past"].map(refused)), [true, true, false]);
  accounts.clock.setBack(-HOUR);
  assert.deepEqual(await Promise.all(["hour", "given"].map(refused)), [false, true]);
  accounts.clock.setBack(-4 * HOUR);
  assert.equal(await refused("given"), false);
});

test("ExternalSessions.ended() during a handshake leaves no open socket", async () => {
  using accounts = new Accounts();
  for (const [at, kv] of [[1, undefined], [2, new MemoryKeyValue()]] as const) {
    const sessions = accounts.start({ kv, name: `p${at}` });
    accounts.signIn("s1");
    accounts.hook = () => sessions.ended("s1"); // identify() has read the session before.
    const answer = await accounts.client(sessions, "s1").connect();
    assert.deepEqual(answer, { accepted: false, status: 401, code: "NOT_SIGNED_IN" });
  }
});

test("ExternalSessions.ended() rejects ids that identify() cannot return, and unknown reasons", async () => {
  using accounts = new Accounts();
  const sessions = accounts.start();
  for (const id of ["", "a\nb", "x".repeat(10_240), undefined as unknown as string]) {
    await assert.rejects(sessions.ended(id), TypeError);
    await assert.rejects(sessions.endedUser(id), TypeError);
  }
  await assert.rejects(sessions.ended("s1", { until: NaN }), TypeError);
  for (const invalid of ["revoked\r\nforged: line", "", "own"]) {
    const reason = invalid as "revoked";
    await assert.rejects(sessions.ended("s1", { reason }), /reason must be one of signed-out/);
    await assert.rejects(sessions.endedUser("ada", { reason }), TypeError);
  }
});

test("ExternalSessions closes sockets at expiresAt unless identify() returns a later time", async () => {
  using accounts = new Accounts();
  const sessions = accounts.start({ recheckMs: 10 * HOUR });
  accounts.signIn("fixed");
  accounts.signIn("rolling");
  const fixed = await accounts.open(sessions, "fixed");
  const rolling = await accounts.open(sessions, "rolling");
  await fixed.receive();
  await rolling.receive();
  const { calls } = accounts;
  await accounts.pass(HOUR - 6_001, HOUR / 2);
  assert.equal(accounts.calls, calls, "sockets do not extend sessions of the application");
  fixed.send("in use");
  await accounts.pass(5_000, 1_000);
  accounts.signIn("rolling");
  await accounts.pass(1_000);
  assert.equal(await fixed.receivesNothing(), true);
  await accounts.pass(2);
  assert.deepEqual(await fixed.closed(), { code: 4401, reason: "expired" });
  await accounts.pass(HOUR - 10_000, HOUR / 2);
  assert.equal(await rolling.receivesNothing(), true);
  accounts.hook = () => Promise.reject(new Error("down"));
  await accounts.pass(10_000, 5_000);
  assert.deepEqual(await rolling.closed(), { code: 4401, reason: "expired" });
});

test("ExternalSessions closes sockets at expiresAt although identify() does not answer", async () => {
  using accounts = new Accounts();
  const sessions = accounts.start({ recheckMs: 10 * HOUR });
  const ids = Array.from({ length: 40 }, (_, at) => `s${at}`); // More than are checked at once.
  for (const sid of ids) accounts.signIn(sid, sid);
  const peers = await Promise.all(ids.map((sid) => accounts.open(sessions, sid)));
  for (const peer of peers) await peer.receive();
  accounts.hook = () => new Promise(() => {});
  await accounts.pass(HOUR - 1, HOUR / 2);
  assert.equal(await peers[0]!.receivesNothing(), true);
  await accounts.pass(1);
  const expired = { code: 4401, reason: "expired" };
  const inTime = (peer: (typeof peers)[number]) =>
    Promise.race([peer.closed(), accounts.pass(100).then(() => "still open")]);
  for (const peer of peers) assert.deepEqual(await inTime(peer), expired);
});

test("ExternalSessions keeps a socket open if a slow check returns a later time before expiresAt", async () => {
  using accounts = new Accounts();
  const { clock } = accounts;
  const sessions = accounts.start({ recheckMs: 10 * HOUR });
  accounts.signIn("s1");
  const peer = await accounts.open(sessions, "s1");
  await peer.receive();
  await accounts.pass(HOUR - 7_000, HOUR / 2);
  accounts.signIn("s1");
  accounts.hook = () => new Promise<void>((resolve) => void clock.after(4_000, resolve));
  await accounts.pass(10_000, 1_000);
  assert.equal(await peer.receivesNothing(), true);
});

test("ExternalSessions closes sockets at the earliest time that identify() has returned last", async () => {
  using accounts = new Accounts();
  const sessions = accounts.start({ recheckMs: 10 * HOUR });
  accounts.signIn("s1");
  const first = await accounts.open(sessions, "s1");
  await accounts.pass(10);
  accounts.signIn("s1", "ada", { expiresAt: accounts.clock.now() + 60_000 });
  await accounts.open(sessions, "s1");
  await accounts.pass(59_900, 30_000);
  await first.receive();
  assert.equal(await first.receivesNothing(), true);
  await accounts.pass(200);
  assert.deepEqual(await first.closed(), { code: 4401, reason: "expired" });
});

test("ExternalSessions notices within recheckMs that identify() no longer returns a session", async () => {
  using accounts = new Accounts();
  const sessions = accounts.start({ recheckMs: 30_000 });
  for (const sid of ["gone", "kept", "renamed"]) accounts.signIn(sid);
  const [gone, kept, renamed] = await Promise.all(
    ["gone", "kept", "renamed"].map((sid) => accounts.open(sessions, sid)),
  );
  await kept!.receive();
  await renamed!.receive();
  accounts.hook = () => Promise.reject(new Error("down"));
  accounts.identities.delete("gone");
  accounts.signIn("renamed", "ada", { user: { id: "ada", name: "Lady Lovelace" } });
  await accounts.pass(30_000, 15_000);
  await gone!.receive();
  assert.equal(await gone!.receivesNothing(), true, "a failed check ends nothing");
  accounts.hook = () => {};
  await accounts.pass(30_000, 15_000);
  assert.deepEqual(await gone!.closed(), { code: 4401, reason: "revoked" });
  assert.equal(await renamed!.receive(), "Lady Lovelace");
  assert.equal(await kept!.receivesNothing(), true);
});

test("ExternalSessions admits the new user of a session, and closes the sockets of the former one", async () => {
  using accounts = new Accounts();
  const sessions = accounts.start({ recheckMs: 30_000 });
  accounts.signIn("s1", "ada");
  const ada = await accounts.open(sessions, "s1");
  accounts.signIn("s1", "eve");
  const eve = await accounts.open(sessions, "s1");
  assert.equal(await eve.receive(), "EVE");
  assert.equal((await ada.closed()).code, 4403);
  assert.equal(await eve.receivesNothing(), true);
  accounts.signIn("s2", "ada");
  const again = await accounts.open(sessions, "s2");
  accounts.signIn("s2", "eve");
  await accounts.pass(30_000, 15_000);
  assert.equal((await again.closed()).code, 4403);
});

test("ExternalSessions refuses the former user of a session whose identify() answers late", async () => {
  using accounts = new Accounts();
  const sessions = accounts.start();
  accounts.signIn("s1", "ada");
  const { promise, resolve } = Promise.withResolvers<void>();
  accounts.hook = () => promise;
  const late = accounts.client(sessions, "s1").connect(); // identify() has read "ada".
  while (accounts.calls === 0) await Promise.resolve();
  accounts.hook = () => {};
  accounts.signIn("s1", "eve");
  await accounts.open(sessions, "s1");
  resolve();
  assert.deepEqual(await late, { accepted: false, status: 401, code: "NOT_SIGNED_IN" });
});

test("ExternalSessions.endedUser() closes the sockets of a user, and lets a new session in", async () => {
  using accounts = new Accounts();
  const sessions = accounts.start({ kv: new MemoryKeyValue() });
  accounts.signIn("s1");
  accounts.signIn("s2");
  accounts.signIn("s3", "eve");
  const [one, two, eve] = await Promise.all(
    ["s1", "s2", "s3"].map((sid) => accounts.open(sessions, sid)),
  );
  assert.equal(await sessions.endedUser("ada"), true);
  assert.deepEqual(await one!.closed(), { code: 4401, reason: "revoked" });
  assert.deepEqual(await two!.closed(), { code: 4401, reason: "revoked" });
  await eve!.receive();
  assert.equal(await eve!.receivesNothing(), true);
  assert.equal((await accounts.client(sessions, "s1").connect()).accepted, false);
  accounts.signIn("s4");
  assert.equal((await accounts.client(sessions, "s4").connect()).accepted, true);
});

test("ExternalSessions.endedUser() during a handshake leaves no open socket", async () => {
  using accounts = new Accounts();
  for (const [at, kv] of [[1, undefined], [2, new MemoryKeyValue()]] as const) {
    const sessions = accounts.start({ kv, name: `p${at}` });
    accounts.signIn("s1");
    accounts.hook = async () => {
      accounts.hook = () => {};
      accounts.identities.delete("s1");
      await sessions.endedUser("ada");
    };
    const answer = await accounts.client(sessions, "s1").connect();
    assert.deepEqual(answer, { accepted: false, status: 401, code: "NOT_SIGNED_IN" });
  }
});

test("ExternalSessions counts the sockets of a session, and of a user over all sessions", async () => {
  using accounts = new Accounts();
  const sessions = accounts.start();
  const refused = { accepted: false, status: 429, code: "TOO_MANY_SOCKETS" };
  for (const sid of ["s1", "s2", "s3"]) accounts.signIn(sid);
  for (let at = 0; at < 3; at++) await accounts.open(sessions, "s1");
  assert.deepEqual(await accounts.client(sessions, "s1").connect(), refused);
  for (const sid of ["s2", "s3"]) await accounts.open(sessions, sid);
  assert.deepEqual(await accounts.client(sessions, "s3").connect(), refused);
});

test("ExternalSessions records the end of a session with sockets in the audit log, once", async () => {
  using accounts = new Accounts();
  await using kv = new MemoryKeyValue();
  const { clock, log } = accounts;
  const audit = new Audit(kv, { log, clock });
  const [here, there] = [accounts.start({ kv, audit }), accounts.start({ kv, audit })];
  for (const sid of ["s1", "s2", "s3"]) accounts.signIn(sid);
  for (const sid of ["s1", "s2", "s3"]) await accounts.open(here, sid);
  await accounts.open(there, "s1");
  await here.ended("s1");
  await accounts.pass(1_000);
  await there.endedUser("ada", { reason: "user-banned" });
  await accounts.pass(1_000);
  await audit.written();
  const entries = await audit.list("ada");
  const ends = entries.map(({ kind, sessionId, code }) => [kind, sessionId, code]);
  assert.deepEqual(ends.sort(), [
    ["session-ended", "s1", "signed-out"],
    ["session-ended", "s2", "user-banned"],
    ["session-ended", "s3", "user-banned"],
  ]);
});

test("ExternalSessions refuses invalid options", () => {
  using accounts = new Accounts();
  const invalid = [{ recheckMs: 0 }, { rememberEndedMs: NaN }, { name: "" }, { name: "a.b" }];
  for (const options of invalid) assert.throws(() => accounts.start(options), RangeError);
});

test("ExternalSessions.ended() at any moment of a handshake leaves no open socket", async () => {
  using accounts = new Accounts();
  const kinds = [{ name: "memory" }, { name: "kv", kv: new MemoryKeyValue() }];
  for (const options of kinds) {
    const sessions = accounts.start(options);
    for (let turns = 0; turns < 60; turns++) {
      const sid = `s${turns}`;
      accounts.signIn(sid, `user ${turns}`);
      const client = accounts.client(sessions, sid);
      const opening = client.connect();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      const ending = turns % 2 === 0 ? sessions.ended(sid) : sessions.endedUser(`user ${turns}`);
      if (turns % 2 === 1) accounts.identities.delete(sid);
      const [answer] = await Promise.all([opening, ending]);
      if (answer.accepted) assert.equal((await client.closed()).code, 4401, `${turns} turns`);
      else assert.equal(answer.code, "NOT_SIGNED_IN", `${turns} turns`);
    }
  }
});

test("ExternalSessions.ended() while the consumer decides refuses the client", async () => {
  using accounts = new Accounts();
  const sessions = accounts.start();
  accounts.signIn("s1");
  const deciding = Promise.withResolvers<void>();
  const mayAccept = Promise.withResolvers<void>();
  class Slow extends Consumer {
    override async connect() {
      deciding.resolve();
      await mayAccept.promise;
      this.accept();
    }
  }
  const gate = stack().use(origins()).use(sessions.session()).use(requireUser());
  const client = communicate(gate.routes([route("/", Slow)]), {
    path: "http://localhost/",
    headers: { origin: "http://localhost", cookie: "sid=s1" },
  });
  const opening = client.connect();
  await deciding.promise;
  await sessions.ended("s1");
  mayAccept.resolve();
  assert.deepEqual(await opening, { accepted: false, status: 401, code: "NOT_SIGNED_IN" });
});
