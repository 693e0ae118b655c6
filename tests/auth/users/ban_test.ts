import assert from "node:assert/strict";
import { test } from "node:test";
import {
  login,
  MemoryUserStore,
  type Provider,
  type User,
  UserChanges,
} from "../../../lib/auth/mod.ts";
import { withAuth } from "../../../lib/auth/with_auth.ts";
import { Refusal } from "../../../lib/protocol/mod.ts";
import { Sessions } from "../../../lib/sessions/mod.ts";
import { FakeLog } from "../../support/fake_log.ts";
import { fakeScope } from "../../support/fake_scope.ts";
import { testApp } from "../../support/auth/app.ts";
import { Browser } from "../../support/auth/browser.ts";
import { FaultyStore } from "../../support/auth/device_setup.ts";

const ADA = { provider: "yes", subject: "1", login: "ada", name: "Ada", avatarUrl: undefined };

async function setUp() {
  const users = new MemoryUserStore();
  const store = new FaultyStore();
  const sessions = new Sessions(store, { log: new FakeLog() });
  const ada = await users.save(ADA);
  const begin = async () => await sessions.create({ userId: ada.id, provider: "yes" });
  const isLive = async (token: string) => (await sessions.find(token)).state === "live";
  return { users, store, sessions, ada, begin, isLive };
}

test("UserChanges.unban() restores no session that the ban failed to end", async () => {
  const { ada, begin, isLive, ...parts } = await setUp();
  const { token } = await begin();
  parts.store.failDelete = 1;
  await assert.rejects(new UserChanges(parts).ban(ada.id), /store is down/);
  assert.notEqual((await parts.users.get(ada.id))?.bannedAt, undefined);
  assert.equal((await new UserChanges(parts).unban(ada.id))?.bannedAt, undefined);
  assert.equal(await isLive(token), false);
  assert.equal(await isLive((await begin()).token), true);
});

test("UserChanges.unban() leaves the ban in place while sessions cannot be ended", async () => {
  const { ada, begin, isLive, ...parts } = await setUp();
  const { token } = await begin();
  parts.store.failDelete = 2;
  await assert.rejects(new UserChanges(parts).ban(ada.id));
  await assert.rejects(new UserChanges(parts).unban(ada.id));
  assert.notEqual((await parts.users.get(ada.id))?.bannedAt, undefined);
  await new UserChanges(parts).unban(ada.id);
  assert.equal(await isLive(token), false);
});

test("UserChanges.ban() ends on retry the sessions that the first ban left", async () => {
  const { ada, begin, isLive, ...parts } = await setUp();
  const { token } = await begin();
  parts.store.failDelete = 1;
  await assert.rejects(new UserChanges(parts).ban(ada.id));
  await new UserChanges(parts).ban(ada.id);
  assert.equal(await isLive(token), false);
});

test("UserChanges.unban() ends no session of an unbanned user", async () => {
  const { ada, begin, isLive, ...parts } = await setUp();
  const { token } = await begin();
  assert.equal((await new UserChanges(parts).unban(ada.id))?.id, ada.id);
  assert.equal(await new UserChanges(parts).unban("nobody"), undefined);
  assert.equal(await isLive(token), true);
});

/** Changes between a sign-in's read of the user and its new session. */
const BETWEEN: [what: string, act: "ban" | "remove", status: number][] = [
  ["banned", "ban", 403],
  ["removed", "remove", 403],
];

/** A provider that accepts every callback. */
const YES: Provider = {
  id: "yes",
  name: "Yes",
  authorizationUrl: ({ state }) => Promise.resolve(new URL(`https://yes.example/?state=${state}`)),
  profile: () => Promise.resolve(ADA),
};

for (const [what, act, status] of BETWEEN) {
  test(`SignIn.finish() creates no session for a user ${what} meanwhile`, async () => {
    const app = testApp([YES]);
    const browser = new Browser(app.handle);
    const origin = "https://app.example.com";
    const begun = await browser.request(`${origin}/auth/signin`);
    const state = new URL(begun.headers.get("location")!).searchParams.get("state");
    const save = app.users.save.bind(app.users);
    let user: User | undefined;
    app.users.save = async (profile) => {
      user = await save(profile);
      await new UserChanges(app)[act](user.id);
      return user;
    };
    const response = await browser.request(`${origin}/auth/callback/yes?code=c&state=${state}`);
    assert.equal(response.status, status);
    assert.equal((await response.json()).code, "BANNED");
    assert.equal(browser.cookie(origin, "__Host-session"), undefined);
    await new UserChanges(app).unban(user!.id);
    assert.deepEqual(await app.sessions.list(user!.id), []);
  });

  test(`login() creates no session for a user ${what} meanwhile`, async () => {
    const { ada, ...parts } = await setUp();
    await new UserChanges(parts)[act](ada.id);
    const scope = fakeScope("https://app.example.com/");
    await withAuth(parts, async (scope) => {
      await assert.rejects(
        login(scope, ada),
        (error) => error instanceof Refusal && error.code === "FORBIDDEN",
      );
      assert.equal(scope.session, undefined);
      return new Response();
    })(scope);
    assert.deepEqual(await parts.sessions.list(ada.id), []);
  });
}

test("login() leaves no session if the database's response was lost", async () => {
  const { ada, ...parts } = await setUp();
  parts.store.failCreate = 1;
  parts.store.createsAllTheSame = true;
  const application = withAuth(parts, async (scope) => {
    await assert.rejects(login(scope, ada), /store is down/);
    return new Response();
  });
  await application(fakeScope("https://app.example.com/"));
  assert.deepEqual(await parts.sessions.list(ada.id), []);
});
