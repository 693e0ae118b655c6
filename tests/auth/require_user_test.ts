import assert from "node:assert/strict";
import { test } from "node:test";
import type { Admission } from "../../lib/core/scope.ts";
import { Refusal } from "../../lib/protocol/mod.ts";
import { MemoryUserStore, requireUser, UserChanges } from "../../lib/auth/mod.ts";
import { withUser } from "../../lib/auth/with_user.ts";
import { MemorySessionStore, Sessions } from "../../lib/sessions/mod.ts";
import { withSession } from "../../lib/sessions/with_session.ts";
import { FakeClock } from "../../lib/testing/fake_clock.ts";
import { FakeLog } from "../support/fake_log.ts";
import { fakeScope } from "../support/fake_scope.ts";
import { profile } from "../../lib/testing/stores/test_user_store.ts";

async function setUp() {
  const clock = new FakeClock();
  const log = new FakeLog();
  const sessions = new Sessions(new MemorySessionStore({ clock }), { clock, log });
  const users = new MemoryUserStore({ clock });
  const user = await users.save(profile());
  const { session, token } = await sessions.create({ userId: user.id, provider: "dev" });
  const app = withSession(
    sessions,
    withUser(users, requireUser((scope) => Response.json(scope.user.login))),
  );
  const enter = (cookie?: string): Promise<Admission> =>
    Promise.resolve(app(fakeScope("http://localhost/", cookie === undefined ? {} : { cookie })));
  return { clock, log, sessions, users, user, session, token, enter };
}

test("requireUser() admits a signed-in user", async () => {
  const { enter, token } = await setUp();
  const admission = await enter(`session=${token}`);
  assert.ok(admission instanceof Response);
  assert.equal(await admission.json(), "ada");
});

test("requireUser() refuses anonymous clients, and tells whether the session expired", async () => {
  const { enter, token, clock } = await setUp();
  assert.deepEqual(codeOf(await enter()), [401, "NOT_SIGNED_IN"]);
  assert.deepEqual(codeOf(await enter("session=x")), [401, "NOT_SIGNED_IN"]);
  await clock.advance(7 * 24 * 3_600_000);
  assert.deepEqual(codeOf(await enter(`session=${token}`)), [401, "SESSION_EXPIRED"]);
});

test("requireUser() refuses a removed user with a live session", async () => {
  const { enter, token, users, user } = await setUp();
  await users.remove(user.id);
  assert.deepEqual(codeOf(await enter(`session=${token}`)), [401, "NOT_SIGNED_IN"]);
});

test("requireUser() refuses a banned user with a live session", async () => {
  const { enter, token, users, user } = await setUp();
  await users.update(user.id, (known) => ({ ...known, bannedAt: 1 }));
  assert.deepEqual(codeOf(await enter(`session=${token}`)), [401, "NOT_SIGNED_IN"]);
});

test("requireUser() refuses an invalid ticket with TICKET_INVALID", () => {
  const scope = fakeScope("http://localhost/");
  const unknown = { session: undefined, sessionState: "ticket-invalid", user: undefined } as const;
  const admission = requireUser(() => new Response())(Object.assign(scope, unknown));
  assert.deepEqual(codeOf(admission as Admission), [401, "TICKET_INVALID"]);
});

test("withUser() reads the store once, and not at all without a session", async () => {
  const { enter, token, users } = await setUp();
  let reads = 0;
  const get = users.get.bind(users);
  users.get = (id) => (reads++, get(id));
  await enter();
  assert.equal(reads, 0);
  await enter(`session=${token}`);
  assert.equal(reads, 1);
});

test("withUser() refuses with UNAVAILABLE if the store is down", async () => {
  const { enter, token, users } = await setUp();
  users.get = () => Promise.reject(new Error("connection refused"));
  assert.deepEqual(codeOf(await enter(`session=${token}`)), [503, "UNAVAILABLE"]);
});

test("UserChanges.remove() ends every session and connection of the user", async () => {
  const { sessions, users, user, session, token } = await setUp();
  const { connection } = fakeScope("http://localhost/");
  sessions.connections.subscribe(session.id, connection);
  assert.equal(await new UserChanges({ users, sessions }).remove(user.id), true);
  assert.deepEqual(connection.ended, { code: 4401, reason: "user-removed", byServer: true });
  assert.equal((await sessions.find(token)).state, "unknown");
});

function codeOf(admission: Admission): [number, string] {
  assert.ok(admission instanceof Refusal);
  return [admission.status, admission.code];
}
