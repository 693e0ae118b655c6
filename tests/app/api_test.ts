import { test } from "node:test";
import assert from "node:assert/strict";
import { FakeClock } from "@sluice/sluice/testing";
import { TestApp } from "../support/app/test_app.ts";

async function problemOf(response: Response): Promise<string> {
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const body = await response.json();
  assert.equal(body.status, response.status);
  return body.code;
}

test("GET /api/me returns the public fields of the signed-in user", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  await browser.signIn("ada");
  const me = await (await browser.request("/api/me")).json();
  assert.deepEqual(Object.keys(me).sort(), ["avatarUrl", "id", "login", "name"]);
  assert.equal(me.login, "ada");
});

test("the API answers anonymous requests with 401 and a problem", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  for (const path of ["/api/me", "/api/sessions"]) {
    const response = await browser.request(path);
    assert.equal(response.status, 401);
    assert.equal(await problemOf(response), "NOT_SIGNED_IN");
  }
});

test("the API distinguishes an expired session from a missing one", async () => {
  const clock = new FakeClock();
  await using app = await TestApp.create({ SESSION_IDLE_TTL: "10m" }, { clock });
  const browser = app.browser();
  await browser.signIn("ada");
  await clock.advance(600_000);
  const response = await browser.request("/api/me");
  assert.equal(response.status, 401);
  assert.equal(await problemOf(response), "SESSION_EXPIRED");
});

test("GET /api/sessions lists the user's own sessions, and marks the current one", async () => {
  await using app = await TestApp.create();
  const [here, there, other] = [app.browser(), app.browser(), app.browser()];
  await here.signIn("ada");
  await there.signIn("ada");
  await other.signIn("grace");
  const sessions = await (await here.request("/api/sessions")).json();
  assert.deepEqual(sessions.map((session: { current: boolean }) => session.current), [true, false]);
  const [current] = sessions;
  for (const time of ["createdAt", "lastSeenAt", "expiresAt"]) {
    assert.equal(new Date(current[time]).toISOString(), current[time]);
  }
  assert.equal(current.sockets, 0);
});

test("no response of the API contains a session secret", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  await browser.signIn("ada");
  const secret = browser.cookies.get("session")!.split(".")[1]!;
  for (const path of ["/api/me", "/api/sessions", "/metrics", "/readyz"]) {
    assert.doesNotMatch(await (await browser.request(path)).text(), new RegExp(secret));
  }
});

test("DELETE /api/sessions/:id ends a session of the user, and finds no other user's", async () => {
  await using app = await TestApp.create();
  const [here, there, other] = [app.browser(), app.browser(), app.browser()];
  await here.signIn("ada");
  await there.signIn("ada");
  await other.signIn("grace");
  const idOf = async (browser: typeof here) =>
    (await (await browser.request("/api/sessions")).json())[0].id;
  const [thereId, otherId] = [await idOf(there), await idOf(other)];
  const refused = await here.request(`/api/sessions/${otherId}`, { method: "DELETE" });
  assert.equal(refused.status, 404);
  assert.equal(await problemOf(refused), "NO_SESSION");
  assert.equal((await other.request("/api/me")).status, 200);
  assert.equal((await here.request(`/api/sessions/${thereId}`, { method: "DELETE" })).status, 204);
  assert.equal((await there.request("/api/me")).status, 401);
  assert.equal((await here.request(`/api/sessions/${thereId}`, { method: "DELETE" })).status, 404);
});

test("DELETE /api/sessions ends all of the user's sessions but this one", async () => {
  await using app = await TestApp.create();
  const [here, there, other] = [app.browser(), app.browser(), app.browser()];
  await here.signIn("ada");
  await there.signIn("ada");
  await other.signIn("grace");
  assert.equal((await here.request("/api/sessions", { method: "DELETE" })).status, 204);
  assert.equal((await here.request("/api/me")).status, 200);
  assert.equal((await there.request("/api/me")).status, 401);
  assert.equal((await other.request("/api/me")).status, 200);
});

test("a request from another site's page changes nothing", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  await browser.signIn("ada");
  const attempts: [path: string, init: RequestInit][] = [
    ["/auth/signout", { method: "POST", headers: { origin: "https://evil.example" } }],
    ["/auth/signout", { method: "POST", headers: { "sec-fetch-site": "cross-site" } }],
    ["/api/sessions", { method: "DELETE", headers: { origin: "null" } }],
    ["/api/sessions", { method: "DELETE", headers: { "sec-fetch-site": "same-site" } }],
  ];
  for (const [path, init] of attempts) {
    const response = await browser.request(path, init);
    assert.equal(response.status, 403);
    assert.equal(await problemOf(response), "CROSS_SITE");
  }
  assert.equal((await browser.request("/api/me")).status, 200);
});

test("signing out ends the session and deletes the cookie; GET is refused with 405", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  await browser.signIn("ada");
  const stolen = app.browser();
  stolen.cookies.set("session", browser.cookies.get("session")!);
  const refused = await browser.request("/auth/signout");
  assert.equal(refused.status, 405);
  assert.equal(refused.headers.get("allow"), "POST");
  const response = await browser.request("/auth/signout", { method: "POST" });
  assert.equal(response.status, 303);
  assert.equal(response.headers.get("location"), "/");
  assert.equal(browser.cookies.has("session"), false);
  assert.equal((await stolen.request("/api/me")).status, 401);
});

test("GET /healthz and /readyz answer ok, and readyz 503 without the database", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  for (const path of ["/healthz", "/readyz"]) {
    const response = await browser.request(path);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { status: "ok" });
  }
  await using broken = await TestApp.create({ DENO_KV_PATH: "/dev/null/kv.sqlite3" });
  const response = await broken.browser().request("/readyz");
  assert.equal(response.status, 503);
  assert.deepEqual(await response.json(), { status: "unavailable", missing: ["database"] });
  assert.equal((await broken.browser().request("/healthz")).status, 200);
});

test("without its database, the API answers 503 UNAVAILABLE with Retry-After", async () => {
  await using app = await TestApp.create({ DENO_KV_PATH: "/dev/null/kv.sqlite3" });
  const browser = app.browser();
  browser.cookies.set("session", `${"a".repeat(16)}.${"b".repeat(43)}`);
  const response = await browser.request("/api/me");
  assert.equal(response.status, 503);
  assert.ok(Number(response.headers.get("retry-after")) > 0);
  assert.equal(await problemOf(response), "UNAVAILABLE");
});

test("GET /metrics returns Prometheus' text format", async () => {
  await using app = await TestApp.create();
  const response = await app.browser().request("/metrics");
  assert.match(response.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  for (const line of (await response.text()).trimEnd().split("\n")) {
    assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"\})? [\d.e+-]+)$/);
  }
});

test("over https the cookie has its prefix and Secure, and pages ask for https only", async () => {
  await using app = await TestApp.create({ PUBLIC_URL: "https://127.0.0.1" });
  const response = await app.browser().request("/auth/signin");
  const [cookie] = response.headers.getSetCookie();
  assert.match(cookie!, /^__Host-signin-[\w-]+=.*; Path=\/;.*HttpOnly; SameSite=Lax; Secure$/);
  const health = await app.browser().request("/healthz");
  assert.match(health.headers.get("strict-transport-security")!, /^max-age=/);
});

test("users sign in at the development provider through an https proxy", async () => {
  const origin = "https://localhost:8443";
  await using app = await TestApp.create({ PUBLIC_URL: origin });
  const ada = app.browser(origin);
  await ada.signIn("ada");
  assert.ok(ada.cookies.has("__Host-session"));
  assert.equal((await (await ada.request("/api/me")).json()).login, "ada");
});

test("return_to accepts a path on this site only", async () => {
  await using app = await TestApp.create();
  for (const path of ["https://evil.example", "//evil.example", "/\\evil.example"]) {
    const browser = app.browser();
    const query = `login_hint=ada&return_to=${encodeURIComponent(path)}`;
    let response = await browser.request(`/auth/signin?${query}`);
    while (!response.url.includes("callback") && response.headers.has("location")) {
      const location = response.headers.get("location")!;
      if (!new URL(location, app.origin).pathname.startsWith("/auth/")) break;
      response = await browser.request(location);
    }
    assert.equal(response.headers.get("location"), "/");
  }
});

test("signing out ends the session of a bearer token, and leaves a cookie beside it alone", async () => {
  await using app = await TestApp.create();
  const [program, browser] = [app.browser(), app.browser()];
  await program.signIn("ada");
  await browser.signIn("ada");
  const headers = { authorization: `Bearer ${program.cookies.get("session")}` };
  const signOut = (init: Record<string, string> = {}) =>
    browser.request("/auth/signout", { method: "POST", headers: { ...headers, ...init } });
  const response = await signOut({ accept: "application/json" });
  assert.equal(response.status, 204);
  assert.deepEqual(response.headers.getSetCookie(), []);
  assert.equal((await program.request("/api/me")).status, 401);
  assert.equal((await browser.request("/api/me", { headers })).status, 401);
  assert.equal((await signOut()).status, 303, "a dead token ends nothing");
  assert.equal((await browser.request("/api/me")).status, 200);
});
