import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionHandler } from "../../lib/core/consumer.ts";
import type { Admission, Application, Scope } from "../../lib/core/scope.ts";
import { Refusal } from "../../lib/protocol/mod.ts";
import {
  credentialOf,
  findSession,
  MemorySessionStore,
  Sessions,
  type SessionScope,
} from "../../lib/sessions/mod.ts";
import { withSession } from "../../lib/sessions/with_session.ts";
import { FakeClock, settle } from "../../lib/testing/fake_clock.ts";
import { FakeLog } from "../support/fake_log.ts";
import { fakeScope } from "../support/fake_scope.ts";
import { OTHER_BLANKS, tampered } from "../support/malformed.ts";

const IDLE = 10_000;
const consumer = { name: "the consumer" } as unknown as ConnectionHandler;

async function setUp() {
  const clock = new FakeClock();
  const log = new FakeLog();
  const store = new MemorySessionStore({ clock });
  const sessions = new Sessions(store, { idleTtlMs: IDLE, maxTtlMs: 60_000, clock, log });
  const { session, token } = await sessions.create({ userId: "ada", provider: "dev" });
  return { clock, log, store, sessions, session, token };
}

const seen = (into: SessionScope[]): Application<SessionScope> => (scope) => {
  into.push(scope);
  return consumer;
};

test("withSession() puts the session of the cookie into the scope", async () => {
  const { sessions, session, token } = await setUp();
  const scopes: SessionScope[] = [];
  const scope = fakeScope("http://localhost/ws/echo", { cookie: `session=${token}` });
  assert.equal(await withSession(sessions, seen(scopes))(scope), consumer);
  assert.equal(scopes[0]?.sessionState, "live");
  assert.deepEqual(scopes[0]?.session, session);
  assert.equal(scopes[0], scope as Scope);
});

test("withSession() accepts only __Host-session over https", async () => {
  const { sessions, token } = await setUp();
  const table: [address: string, cookie: string, expected: string][] = [
    ["https://example.com/", `__Host-session=${token}`, "live"],
    ["https://example.com/", `session=${token}`, "none"],
    ["http://localhost/", `session=${token}`, "live"],
    ["http://localhost/", `__Host-session=${token}`, "none"],
  ];
  for (const [address, cookie, expected] of table) {
    const scopes: SessionScope[] = [];
    await withSession(sessions, seen(scopes))(fakeScope(address, { cookie }));
    assert.equal(scopes[0]?.sessionState, expected, `${address} ${cookie.slice(0, 16)}`);
  }
});

test("withSession() ignores the cookie if a ticket was offered", async () => {
  const { sessions, session, token } = await setUp();
  const scopes: SessionScope[] = [];
  const scope = fakeScope("http://localhost/", { cookie: `session=${token}` });
  await withSession(sessions, seen(scopes))(Object.assign(scope, { ticket: "any" }));
  assert.deepEqual([scopes[0]?.session, scopes[0]?.sessionState], [undefined, "ticket-invalid"]);
  assert.equal(sessions.connections.count(session.id), 0);
});

test("withSession() does not count an attempt without the secret as use of the session", async () => {
  const { sessions, clock, session, token } = await setUp();
  const gate = withSession(sessions, () => consumer);
  const owner = fakeScope("http://localhost/", { cookie: `session=${token}` });
  await gate(owner);
  owner.connection.accept();
  const cookies = [`${session.id}.${"A".repeat(43)}`, tampered(token, 30), tampered(token, 70)];
  for (let at = 0; at < IDLE; at += 500) {
    for (const cookie of cookies) {
      const scope = fakeScope("http://localhost/", { cookie: `session=${cookie}` });
      scope.connection.lastReceivedAt = clock.now();
      await gate(scope);
      scope.connection.end(1000);
    }
    await clock.advance(500);
  }
  assert.deepEqual(owner.connection.ended, { code: 4401, reason: "expired", byServer: true });
});

test("withSession() uses the first valid cookie of its name, of up to five", async () => {
  const { sessions, session, token } = await setUp();
  const other = await sessions.create({ userId: "eve", provider: "dev" });
  const ended = await sessions.create({ userId: "ada", provider: "dev" });
  await sessions.end(ended.session.id, "signed-out");
  const many = Array.from({ length: 300 }, (_, at) => `c${at}=${"x".repeat(100)}`).join("; ");
  const garbage = (count: number) => "session=garbage; ".repeat(count);
  const table: [cookie: string, expected: string | undefined][] = [
    [`session=garbage; session=${token}`, session.id],
    [`session=; session=${token}`, session.id],
    [`session=${ended.token}; session=${token}`, session.id],
    [`session=${tampered(token, 30)}; session=${token}`, session.id],
    [`session=${token}; session=${other.token}`, session.id],
    [`session=${other.token}; session=${token}`, other.session.id],
    [`${many}; session=${token}`, session.id],
    [`session="${token}"`, undefined], // The quotes belong to the value (RFC 6265 §5.2).
    [`${garbage(4)}session=${token}`, session.id],
    [`${garbage(5)}session=${token}`, undefined],
    [`Session=${token}`, undefined],
    [`session =\t${token} `, session.id],
  ];
  for (const [cookie, expected] of table) {
    const scopes: SessionScope[] = [];
    await withSession(sessions, seen(scopes))(fakeScope("http://localhost/", { cookie }));
    assert.equal(scopes[0]?.session?.id, expected, cookie.slice(0, 60));
  }
});

test("withSession() reports expired if no cookie has a live session", async () => {
  const { sessions, clock, token } = await setUp();
  await clock.advance(IDLE);
  const ended = await sessions.create({ userId: "ada", provider: "dev" });
  await sessions.end(ended.session.id, "signed-out");
  const scopes: SessionScope[] = [];
  const cookie = `session=${ended.token}; session=${token}`;
  await withSession(sessions, seen(scopes))(fakeScope("http://localhost/", { cookie }));
  assert.equal(scopes[0]?.sessionState, "expired");
});

test("withSession() treats a name with other white space as another cookie", async () => {
  const { sessions, session, token } = await setUp();
  const eve = await sessions.create({ userId: "eve", provider: "dev" });
  for (const blank of OTHER_BLANKS) {
    for (const name of [`${blank}__Host-session`, `__Host-session${blank}`]) {
      const scopes: SessionScope[] = [];
      const cookie = `${name}=${eve.token}; __Host-session=${token}`;
      await withSession(sessions, seen(scopes))(fakeScope("https://localhost/", { cookie }));
      assert.equal(scopes[0]?.session?.id, session.id, JSON.stringify(name));
    }
  }
});

test("withSession() ignores the cookie of a request with any bearer token", async () => {
  const { sessions, session, token } = await setUp();
  const cookie = `session=${token}`;
  for (const authorization of [`Bearer ${token}`, "Bearer", "bearer x y", "Basic eDp5, Bearer z"]) {
    const scopes: SessionScope[] = [];
    const scope = fakeScope("http://localhost/", { cookie, authorization });
    await withSession(sessions, seen(scopes))(scope);
    assert.equal(scopes[0]?.sessionState, "none", authorization);
  }
  const scopes: SessionScope[] = [];
  const basic = fakeScope("http://localhost/", { cookie, authorization: "Basic eDp5" });
  await withSession(sessions, seen(scopes))(basic);
  assert.equal(scopes[0]?.session?.id, session.id);
});

test("withSession() passes requests without a session as anonymous", async () => {
  const { sessions, clock, session, token } = await setUp();
  const stateOf = async (cookie: string | undefined) => {
    const scopes: SessionScope[] = [];
    const scope = fakeScope("http://localhost/", cookie === undefined ? {} : { cookie });
    await withSession(sessions, seen(scopes))(scope);
    assert.equal(scopes[0]?.session, undefined);
    assert.equal(sessions.connections.count(session.id), 0);
    return scopes[0]?.sessionState;
  };
  assert.equal(await stateOf(undefined), "none");
  assert.equal(await stateOf("session="), "none");
  assert.equal(await stateOf("session=true"), "none");
  assert.equal(await stateOf(`session=${"A".repeat(16)}.${"A".repeat(43)}`), "none");
  assert.equal(await stateOf(`session=${session.id}.${"A".repeat(43)}`), "none");
  await clock.advance(IDLE);
  assert.equal(await stateOf(`session=${token}`), "expired");
});

test("withSession() reads the store once for a connection, and not at all without a token", async () => {
  const { sessions, store, token } = await setUp();
  let reads = 0;
  const get = store.get.bind(store);
  store.get = (id) => (reads++, get(id));
  const app = withSession(sessions, () => consumer);
  await app(fakeScope("http://localhost/", { cookie: "session=nonsense" }));
  await app(fakeScope("http://localhost/"));
  assert.equal(reads, 0);
  await app(fakeScope("http://localhost/", { cookie: `session=${token}` }));
  assert.equal(reads, 1);
});

test("withSession() ends the connection when its session ends", async () => {
  const { sessions, session, token } = await setUp();
  const scope = fakeScope("http://localhost/", { cookie: `session=${token}` });
  await withSession(sessions, () => consumer)(scope);
  scope.connection.accept();
  assert.equal(sessions.connections.count(session.id), 1);
  await sessions.end(session.id, "signed-out");
  assert.deepEqual(scope.connection.ended, { code: 4401, reason: "signed-out", byServer: true });
});

test("withSession() does not miss a session that ends while it is read", async () => {
  const { sessions, store, session, token } = await setUp();
  const get = store.get.bind(store);
  const read = Promise.withResolvers<void>();
  store.get = async (id) => {
    const record = await get(id);
    await read.promise;
    return record;
  };
  const scope = fakeScope("http://localhost/", { cookie: `session=${token}` });
  let reached = false;
  const admission = Promise.resolve(
    withSession(sessions, () => {
      reached = true;
      return consumer;
    })(scope),
  );
  await settle();
  await sessions.end(session.id, "revoked");
  read.resolve();
  assert.equal(refusalOf(await admission).code, "NOT_SIGNED_IN");
  assert.equal(reached, false);
  assert.equal(scope.connection.phase, "ended");
});

test("withSession() does not miss a session that ends while the consumer decides", async () => {
  const { sessions, session, token } = await setUp();
  const scope = fakeScope("http://localhost/", { cookie: `session=${token}` });
  const admission = await withSession(sessions, async () => {
    await sessions.end(session.id, "revoked");
    return consumer;
  })(scope);
  assert.equal(refusalOf(admission).code, "NOT_SIGNED_IN");
  assert.equal(scope.connection.phase, "ended");
});

test("withSession() keeps no subscription of a refused connection", async () => {
  const { sessions, token } = await setUp();
  const answers: (() => Admission)[] = [
    () => new Refusal("FORBIDDEN"),
    () => new Response("a page"),
    () => {
      throw new Error("a bug");
    },
  ];
  for (const answer of answers) {
    const scope = fakeScope("http://localhost/", { cookie: `session=${token}` });
    await Promise.resolve(withSession(sessions, answer)(scope)).catch(() => {});
    assert.equal(scope.connection.listeners, 0);
  }
});

test("withSession() renews the session of a socket", async () => {
  const { sessions, clock, token } = await setUp();
  await clock.advance(IDLE - 1);
  const app = withSession(sessions, () => new Response());
  await app(fakeScope("http://localhost/", { cookie: `session=${token}` }));
  await clock.advance(IDLE - 1);
  assert.equal((await sessions.find(token)).state, "live");
});

test("withSession() refuses with UNAVAILABLE if the store is down, and logs no secret", async () => {
  const { sessions, store, token, log } = await setUp();
  store.get = () => Promise.reject(new Error("connection refused"));
  const scope = fakeScope("http://localhost/", { cookie: `session=${token}` });
  const refusal = refusalOf(await withSession(sessions, () => consumer)(scope));
  assert.equal(refusal.code, "UNAVAILABLE");
  assert.equal(refusal.status, 503);
  assert.equal(refusal.retryAfterSeconds, 5);
  assert.match(log.text, /sessions cannot be read.*connection refused/s);
  assert.ok(!log.text.includes(token.split(".")[1]!));
  assert.equal(scope.connection.listeners, 0);
});

test("withSession() admits a live session that could not be renewed", async () => {
  const { sessions, store, clock, token, log } = await setUp();
  await clock.advance(IDLE - 1);
  store.update = () => Promise.reject(new Error("read only"));
  const scope = fakeScope("http://localhost/", { cookie: `session=${token}` });
  assert.equal(await withSession(sessions, () => consumer)(scope), consumer);
  assert.match(log.text, /could not be renewed/);
});

test("findSession() finds by headers what withSession() finds", async () => {
  const { sessions, session, token } = await setUp();
  const headers = new Headers({ cookie: `a=b; __Host-session=${token}` });
  const find = (secure: boolean) =>
    findSession(sessions, credentialOf(headers, { secure })?.tokens);
  const found = await find(true);
  assert.deepEqual(found, { state: "live", session, token });
  assert.deepEqual(await find(false), { state: "unknown" });
});

test("findSession() throws UNAVAILABLE if the store is down", async () => {
  const { sessions, store, token } = await setUp();
  store.get = () => Promise.reject(new Error("connection refused"));
  await assert.rejects(
    findSession(sessions, [token]),
    { name: "Refusal", code: "UNAVAILABLE" },
  );
});

function refusalOf(admission: Admission): Refusal {
  assert.ok(admission instanceof Refusal);
  return admission;
}
