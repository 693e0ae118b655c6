import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryKeyValue } from "../../../lib/kv/mod.ts";
import { type Provider, SignInError } from "../../../lib/auth/mod.ts";
import { fakeScope } from "../../support/fake_scope.ts";
import { type TestApp, testApp } from "../../support/auth/app.ts";
import { Browser } from "../../support/auth/browser.ts";
import { Yes } from "../../support/auth/yes.ts";

const ORIGIN = "https://app.example.com";

function setUp(providers: Provider[] = [new Yes()]) {
  const app = testApp(providers);
  return { ...app, browser: new Browser(app.handle) };
}

async function begin(browser: Browser, query = ""): Promise<string> {
  const response = await browser.request(`${ORIGIN}/auth/signin?${query}`);
  assert.equal(response.status, 302);
  return new URL(response.headers.get("location")!).searchParams.get("state")!;
}

function callback(state: string, provider = "yes"): string {
  return `${ORIGIN}/auth/callback/${provider}?code=c&state=${state}`;
}

async function assertRefused(app: TestApp, response: Response, code: string): Promise<void> {
  assert.equal((await response.json()).code, code);
  assert.equal(response.headers.get("set-cookie"), null);
  assert.equal(app.sessions.connections.count("x"), 0);
}

test("SignIn gives a browser a new session and redirects to the requested page", async () => {
  const app = setUp();
  const state = await begin(app.browser, "return_to=/rooms/lobby");
  const response = await app.browser.request(callback(state));
  assert.equal(response.status, 303);
  assert.equal(response.headers.get("location"), "/rooms/lobby");
  const [cookie] = response.headers.getSetCookie();
  assert.match(
    cookie!,
    /^__Host-session=[\w-]{16}\.[\w-]{59}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/,
  );
  assert.equal((await app.browser.request(`${ORIGIN}/api/me`)).status, 200);
});

test("SignIn.begin() binds the browser with a cookie that no script and no other site can read", async () => {
  const app = setUp();
  const response = await app.browser.request(`${ORIGIN}/auth/signin`);
  const [cookie] = response.headers.getSetCookie();
  assert.match(
    cookie!,
    /^__Host-signin-[\w-]{16}=\w+\.[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
  );
  assert.equal(response.headers.get("cache-control"), "no-store");
  const plain = await app.handle(new Request("http://localhost:8000/auth/signin"));
  assert.match(
    plain.headers.get("set-cookie")!,
    /^signin-[\w-]{16}=\w+\.[\w-]{43};.*SameSite=Lax$/,
  );
});

test("SignIn.begin() uses the only provider, and requires a choice among several", async () => {
  assert.ok(await begin(setUp().browser));
  const app = setUp([new Yes("one"), new Yes("two")]);
  assert.ok(await begin(app.browser, "provider=two"));
  for (const query of ["", "provider=", "provider=three", "provider=__proto__"]) {
    const response = await app.browser.request(`${ORIGIN}/auth/signin?${query}`);
    assert.equal(response.status, 404);
    await assertRefused(app, response, "UNKNOWN_PROVIDER");
  }
});

test("SignIn.begin() passes a login hint on, cut to 256 characters", async () => {
  const yes = new Yes();
  const app = setUp([yes]);
  await begin(app.browser, "login_hint=ada");
  await begin(app.browser, `login_hint=${"x".repeat(5000)}`);
  await begin(app.browser);
  assert.deepEqual(yes.requests.map((request) => request.loginHint?.length), [3, 256, undefined]);
});

test("SignIn.begin() ignores a return_to on another site", async () => {
  const app = setUp();
  for (
    const evil of ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"]
  ) {
    const state = await begin(app.browser, `return_to=${encodeURIComponent(evil)}`);
    const response = await app.browser.request(callback(state));
    assert.equal(response.headers.get("location"), "/", evil);
  }
});

test("SignIn.begin() never gives two sign-ins the same state, nonce or verifier", async () => {
  const yes = new Yes();
  const app = setUp([yes]);
  for (let at = 0; at < 20; at++) await begin(app.browser);
  const values = yes.requests.flatMap((each) => [each.state, each.nonce, each.codeVerifier]);
  assert.equal(new Set(values).size, 60);
});

test("SignIn.finish() refuses a callback without state", async () => {
  const app = setUp();
  await begin(app.browser);
  for (const query of ["", "?code=c", "?code=c&state=", "?error=access_denied"]) {
    const response = await app.browser.request(`${ORIGIN}/auth/callback/yes${query}`);
    assert.equal(response.status, 400);
    await assertRefused(app, response, "STATE_MISSING");
  }
});

test("SignIn.finish() refuses an unknown state", async () => {
  const app = setUp();
  await begin(app.browser);
  for (const state of ["x", "A".repeat(43), "A".repeat(100_000), "%00", "../x"]) {
    const response = await app.browser.request(callback(state));
    assert.equal(response.status, 400);
    await assertRefused(app, response, "TRANSACTION_INVALID");
  }
});

test("SignIn.finish() refuses a replayed callback", async () => {
  const app = setUp();
  const state = await begin(app.browser);
  assert.equal((await app.browser.request(callback(state))).status, 303);
  await assertRefused(app, await app.browser.request(callback(state)), "TRANSACTION_INVALID");
});

test("SignIn.finish() lets one of several racing callbacks win", async () => {
  const app = setUp();
  const state = await begin(app.browser);
  const responses = await Promise.all(
    Array.from({ length: 8 }, () => app.browser.request(callback(state))),
  );
  assert.equal(responses.filter((response) => response.status === 303).length, 1);
});

test("SignIn.finish() refuses a sign-in that took ten minutes", async () => {
  const app = setUp();
  const [early, late] = [await begin(app.browser), await begin(app.browser)];
  await app.clock.advance(599_999);
  assert.equal((await app.browser.request(callback(early))).status, 303);
  await app.clock.advance(1);
  await assertRefused(app, await app.browser.request(callback(late)), "TRANSACTION_INVALID");
});

test("SignIn.finish() refuses the callback of another browser (login CSRF)", async () => {
  const app = setUp();
  const attacker = new Browser(app.handle);
  const state = await begin(attacker);
  await assertRefused(app, await app.browser.request(callback(state)), "TRANSACTION_INVALID");

  const victim = new Browser(app.handle);
  await begin(victim);
  const second = await begin(attacker);
  await assertRefused(app, await victim.request(callback(second)), "TRANSACTION_INVALID");
});

test("SignIn.finish() leaves a pending sign-in to its browser after a wrong callback", async () => {
  const app = setUp([new Yes("yes"), new Yes("evil")]);
  const state = await begin(app.browser, "provider=yes");
  const own = callback(state);
  const ownCookie = app.browser.cookies(ORIGIN);
  const stranger = new Browser(app.handle);
  await assertRefused(app, await stranger.request(own), "TRANSACTION_INVALID");
  const wrong = [callback("x".repeat(43)), callback(state, "evil")];
  for (const url of wrong) {
    await assertRefused(app, await app.browser.request(url), "TRANSACTION_INVALID");
  }
  await assertRefused(app, await app.browser.request(callback("")), "STATE_MISSING");
  assert.equal(app.browser.cookies(ORIGIN), ownCookie);
  assert.equal((await app.browser.request(own)).status, 303);
});

test("SignIn.finish() refuses a callback for another provider (mix-up)", async () => {
  const [good, evil] = [new Yes("good"), new Yes("evil")];
  const app = setUp([good, evil]);
  const state = await begin(app.browser, "provider=good");
  await assertRefused(
    app,
    await app.browser.request(callback(state, "evil")),
    "TRANSACTION_INVALID",
  );
  assert.deepEqual([good.answers.length, evil.answers.length], [0, 0]);
  const unknown = await app.browser.request(callback(state, "nobody"));
  await assertRefused(app, unknown, "UNKNOWN_PROVIDER");
});

test("SignIn.finish() refuses a callback at a URL other than the requested one", async () => {
  const app = setUp();
  const state = await begin(app.browser);
  const elsewhere = callback(state).replace("app.", "other.");
  const [name, value] = app.browser.cookies(ORIGIN).split("=");
  app.browser.setCookie(elsewhere, name!, value!);
  await assertRefused(app, await app.browser.request(elsewhere), "TRANSACTION_INVALID");
});

test("SignIn.finish() reuses no session that the browser already had (fixation)", async () => {
  const app = setUp();
  const planted = await app.sessions.create({ userId: "attacker", provider: "yes" });
  app.browser.setCookie(ORIGIN, "__Host-session", planted.token);
  const { connection } = fakeScope(ORIGIN);
  app.sessions.connections.subscribe(planted.session.id, connection);

  await app.browser.request(callback(await begin(app.browser)));
  const token = app.browser.cookie(ORIGIN, "__Host-session")!;
  assert.notEqual(token.split(".")[0], planted.session.id);
  assert.deepEqual(await app.sessions.find(planted.token), { state: "unknown" });
  assert.equal(connection.ended?.code, 4401);
  assert.equal(connection.ended?.reason, "replaced");
});

test("SignIn.finish() replaces a program's session with a browser session of the same user", async () => {
  const app = setUp();
  await app.browser.request(callback(await begin(app.browser)));
  const found = await app.sessions.find(app.browser.cookie(ORIGIN, "__Host-session"));
  assert.ok(found.state === "live");
  const program = await app.sessions.create({
    userId: found.session.userId,
    provider: "yes",
    kind: "program",
  });
  app.browser.setCookie(ORIGIN, "__Host-session", program.token);
  await app.browser.request(callback(await begin(app.browser)));
  const after = await app.sessions.find(app.browser.cookie(ORIGIN, "__Host-session"));
  assert.ok(after.state === "live");
  assert.deepEqual([after.session.kind, after.session.userId], ["browser", found.session.userId]);
  assert.deepEqual(await app.sessions.find(program.token), { state: "unknown" });
});

test("SignIn.finish() ends no session whose secret the browser does not have", async () => {
  const app = setUp();
  const other = await app.sessions.create({ userId: "other", provider: "yes" });
  const forged = `${other.session.id}.${"A".repeat(43)}`;
  app.browser.setCookie(ORIGIN, "__Host-session", forged);
  await app.browser.request(callback(await begin(app.browser)));
  assert.equal((await app.sessions.find(other.token)).state, "live");
});

test("SignIn survives cookies and headers of any size and kind", async () => {
  const app = setUp();
  const state = await begin(app.browser);
  const cookies = [
    `__Host-signin-${"A".repeat(16)}=${"A".repeat(100_000)}`,
    `__Host-signin-${"A".repeat(16)}=`,
    `__Host-signin-${"A".repeat(16)}=zzz.${"A".repeat(43)}`,
    `__Host-signin-${"A".repeat(16)};x=1; __Host-signin-=1; __Host-signin-\u00e4=1`,
    Array.from({ length: 5000 }, (_, at) => `c${at}=1`).join("; "),
    "a=\u00ff; __Host-session=\u00ff",
  ];
  for (const cookie of cookies) {
    const headers = new Headers({ cookie, "user-agent": "x".repeat(100_000) });
    const begun = await app.handle(new Request(`${ORIGIN}/auth/signin`, { headers }));
    assert.equal(begun.status, 302);
    assert.ok(begun.headers.get("set-cookie")!.length < 300);
    const fresh = callback(new URL(begun.headers.get("location")!).searchParams.get("state")!);
    assert.ok([303, 400].includes((await app.handle(new Request(fresh, { headers }))).status));
  }
  assert.equal((await app.browser.request(callback(state))).status, 303);
});

test("SignIn throws UNAVAILABLE if our own database is down, and creates no session", async () => {
  await using kv = new MemoryKeyValue();
  const app = testApp([new Yes()], { kv });
  const browser = new Browser(app.handle);
  const state = await begin(browser);
  const create = app.users.save.bind(app.users);
  app.users.save = () => Promise.reject(new Error("connection refused"));
  const response = await browser.request(callback(state));
  assert.equal(response.status, 503);
  await assertRefused(app, response, "UNAVAILABLE");
  app.users.save = create;
  kv.set = () => Promise.reject(new Error("connection refused"));
  assert.equal((await browser.request(`${ORIGIN}/auth/signin`)).status, 503);
});

test("SignIn throws PROFILE_INCOMPLETE if a provider's subject cannot be stored", async () => {
  const yes = new Yes();
  yes.subject = "x".repeat(5000);
  const app = setUp([yes]);
  const response = await app.browser.request(callback(await begin(app.browser)));
  await assertRefused(app, response, "PROFILE_INCOMPLETE");
});

test("SignIn.signOut() ends the session and its sockets, and deletes the cookie", async () => {
  const app = setUp();
  await app.browser.request(callback(await begin(app.browser)));
  const token = app.browser.cookie(ORIGIN, "__Host-session")!;
  const { connection } = fakeScope(ORIGIN);
  app.sessions.connections.subscribe(token.split(".")[0]!, connection);
  const response = await app.browser.request(`${ORIGIN}/auth/signout`, { method: "POST" });
  assert.equal(response.status, 303);
  assert.equal(response.headers.get("location"), "/");
  assert.equal(app.browser.cookie(ORIGIN, "__Host-session"), undefined);
  assert.deepEqual(await app.sessions.find(token), { state: "unknown" });
  assert.equal(connection.ended?.code, 4401);
});

test("SignIn.signOut() does the same for a browser without a session", async () => {
  const app = setUp();
  const response = await app.browser.request(`${ORIGIN}/auth/signout`, { method: "POST" });
  assert.equal(response.status, 303);
  assert.match(response.headers.get("set-cookie")!, /^__Host-session=; Path=\/; Max-Age=0/);
});

test("SignIn.signOut() throws if the session could not be ended", async () => {
  const app = setUp();
  await app.browser.request(callback(await begin(app.browser)));
  app.sessions.end = () => Promise.reject(new Error("connection refused"));
  const response = await app.browser.request(`${ORIGIN}/auth/signout`, { method: "POST" });
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("set-cookie"), null);
});

test("SignInError cleans and cuts a provider's reason", () => {
  const error = new SignInError("PROVIDER_DENIED", {
    reason: `<b>no</b>\r\n\u0000\u202e${"x".repeat(9000)}`,
  });
  assert.match(error.reason!, /^<b>no<\/b> x+$/);
  assert.equal(error.reason!.length, 200);
});
