import { test } from "node:test";
import assert from "node:assert/strict";
import type { HttpBrowser } from "../support/app/http_browser.ts";
import { TestApp } from "../support/app/test_app.ts";

const FRIEND = "https://app.friend.example";
const PORT = "http://127.0.0.1:5173";
const RULES = `${FRIEND}, ${PORT}, .domain.example, bare.example`;

/** Origins that resemble an allowed one. */
const LOOK_ALIKES = [
  "null",
  "https://app.friend.example.evil.example",
  "https://evilapp.friend.example",
  "https://evil.app.friend.example",
  "https://friend.example",
  "http://app.friend.example",
  "https://app.friend.example:8443",
  "https://app.friend.example@evil.example",
  "https://ada@app.friend.example",
  "https://app.friend.example\\.evil.example",
  "https://app.friend.example/path",
  "https://app.friend.example.",
  "app.friend.example",
  "//app.friend.example",
  "http://127.0.0.1:51730",
  "http://127.0.0.1:5174",
  "http://localhost:5173",
  "http://127.0.0.1:5173, https://evil.example",
  "https://evildomain.example",
  "https://domain.example.evil.example",
  "https://evil.bare.example",
];

const CORS = /^access-control-/;

function corsHeaders({ headers }: Response): string[] {
  return [...headers.keys()].filter((name) => CORS.test(name));
}

function from(origin: string, more: HeadersInit = {}): { headers: Headers } {
  const headers = new Headers(more);
  headers.set("origin", origin);
  return { headers };
}

async function setUp(env: Record<string, string> = { ALLOWED_ORIGINS: RULES }) {
  const app = await TestApp.create(env);
  const browser = app.browser();
  await browser.signIn("ada");
  return { app, browser, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() };
}

function signOut(browser: HttpBrowser, origin: string, headers: HeadersInit = {}) {
  return browser.request("/auth/signout", { method: "POST", ...from(origin, headers) });
}

test("a page of an allowed origin can read who is signed in, with the cookie", async () => {
  await using site = await setUp();
  const origins = [FRIEND, PORT, "https://a.domain.example", "http://bare.example:81"];
  for (const origin of origins) {
    const response = await site.browser.request("/api/me", from(origin));
    assert.equal((await response.json()).login, "ada");
    assert.equal(response.headers.get("access-control-allow-origin"), origin);
    assert.equal(response.headers.get("access-control-allow-credentials"), "true");
    assert.match(response.headers.get("vary")!, /\borigin\b/i);
  }
});

test("a page of an allowed origin can read refusals", async () => {
  await using site = await setUp();
  const response = await site.app.browser().request("/api/me", from(FRIEND));
  assert.deepEqual([response.status, (await response.json()).code], [401, "NOT_SIGNED_IN"]);
  assert.equal(response.headers.get("access-control-allow-origin"), FRIEND);
  const body = "x".repeat(5_000);
  const long = { method: "POST", body, ...from(FRIEND) };
  const large = await site.browser.request("/auth/signout", long);
  assert.deepEqual([large.status, (await large.json()).code], [413, "BODY_TOO_LARGE"]);
  assert.equal(large.headers.get("access-control-allow-origin"), FRIEND);
});

test("a page of an allowed origin can read a stream over HTTP, with its headers", async () => {
  await using site = await setUp();
  const response = await site.browser.request("/streams/chat/lobby?offset=-1", from(FRIEND));
  assert.deepEqual([response.status, await response.json()], [200, []]);
  assert.equal(response.headers.get("access-control-allow-origin"), FRIEND);
  const exposed = response.headers.get("access-control-expose-headers")!.split(", ");
  const own = [...response.headers.keys()].filter((name) => /^stream-|^etag$/.test(name));
  assert.ok(own.length > 0);
  for (const name of own) assert.ok(exposed.includes(name), name);
});

test("a preflight is answered for an allowed origin only, and never changes the session", async () => {
  await using site = await setUp();
  const ask = { "access-control-request-method": "POST" };
  for (const path of ["/api/me", "/auth/signout", "/api/tickets", "/streams/chat/lobby"]) {
    const preflight = { method: "OPTIONS", ...from(FRIEND, ask) };
    const { status, headers } = await site.browser.request(path, preflight);
    assert.equal(status, 204, path);
    assert.equal(headers.get("access-control-allow-origin"), FRIEND);
    assert.equal(headers.get("access-control-allow-credentials"), "true");
    assert.match(headers.get("access-control-allow-methods")!, /\bPOST\b/);
    assert.match(headers.get("access-control-allow-headers")!, /\bidempotency-key\b/);
    assert.match(headers.get("vary")!, /\borigin\b/i);
    const evil = await site.browser.request(path, {
      method: "OPTIONS",
      ...from("https://evil.example", ask),
    });
    assert.deepEqual(corsHeaders(evil), [], path);
  }
  assert.equal((await site.browser.request("/api/me")).status, 200);
});

test("no origin that resembles an allowed one can read the user, or sign them out", async () => {
  await using site = await setUp();
  for (const origin of [...LOOK_ALIKES, "https://evil.example"]) {
    const me = await site.browser.request("/api/me", from(origin));
    assert.deepEqual(corsHeaders(me), [], origin);
    assert.match(me.headers.get("vary")!, /\borigin\b/i, "caches keep the responses apart");
    const response = await signOut(site.browser, origin, { accept: "application/json" });
    assert.deepEqual([response.status, (await response.json()).code], [403, "CROSS_SITE"], origin);
    assert.deepEqual(corsHeaders(response), [], origin);
  }
  assert.equal((await site.browser.request("/api/me")).status, 200);
});

test("ALLOWED_ORIGINS=* opens neither the user nor the sign-out to other sites", async () => {
  await using site = await setUp({ ALLOWED_ORIGINS: "*" });
  assert.deepEqual(corsHeaders(await site.browser.request("/api/me", from(FRIEND))), []);
  assert.equal((await signOut(site.browser, FRIEND)).status, 403);
  assert.equal((await site.browser.request("/api/me")).status, 200);
});

test("only the listed paths are open to an allowed origin", async () => {
  await using site = await setUp();
  for (const path of ["/", "/sessions", "/api/sessions", "/people", "/api/me/x", "/metrics"]) {
    assert.deepEqual(corsHeaders(await site.browser.request(path, from(FRIEND))), [], path);
  }
  const end = { method: "DELETE", ...from(FRIEND) };
  assert.equal((await site.browser.request("/api/sessions", end)).status, 403);
});

test("a page of an allowed origin can sign out: 204 for its script, 303 for its form", async () => {
  await using site = await setUp();
  const accepts: [accept: string, status: number][] = [
    ["*/*", 204],
    ["application/json", 204],
    ["text/html,application/xhtml+xml,*/*;q=0.8", 303],
  ];
  for (const [accept, status] of accepts) {
    const browser = site.app.browser();
    await browser.signIn("ada");
    const stolen = site.app.browser();
    stolen.cookies.set("session", browser.cookies.get("session")!);
    const response = await signOut(browser, FRIEND, { accept, "sec-fetch-site": "same-site" });
    assert.equal(response.status, status, accept);
    assert.equal(response.headers.get("access-control-allow-origin"), FRIEND);
    assert.equal(browser.cookies.has("session"), false);
    assert.equal((await stolen.request("/api/me")).status, 401);
  }
});

/** Signs in and returns where the callback leads. */
async function destination(app: TestApp, returnTo: string): Promise<string> {
  const browser = app.browser();
  const query = new URLSearchParams({ provider: "dev", login_hint: "ada", return_to: returnTo });
  let response = await browser.request(`/auth/signin?${query}`);
  for (let hops = 0; hops < 10; hops++) {
    const location = response.headers.get("location")!;
    if (!new URL(location, app.origin).pathname.startsWith("/auth/")) return location;
    response = await browser.request(location);
  }
  throw new Error("The sign-in does not end");
}

test("a sign-in returns to a page of an allowed origin, with its query and fragment", async () => {
  await using app = await TestApp.create({ ALLOWED_ORIGINS: RULES });
  for (const page of [`${FRIEND}/`, `${PORT}/room?name=lobby#top`]) {
    assert.equal(await destination(app, page), page);
  }
  assert.equal(await destination(app, FRIEND), `${FRIEND}/`);
  const signIn = await app.browser().request(`/signin?return_to=${encodeURIComponent(PORT)}`);
  assert.match(await signIn.text(), /Sign in to continue to <b>127\.0\.0\.1:5173<\/b>/);
});

test("the sign-in page leads a signed-in user back to another origin at once", async () => {
  await using site = await setUp();
  const path = `/signin?return_to=${encodeURIComponent(`${FRIEND}/room?x=1`)}`;
  const response = await site.browser.request(path);
  assert.deepEqual([response.status, response.headers.get("location")], [
    303,
    `${FRIEND}/room?x=1`,
  ]);
});

test("a sign-in returns to no page of another origin", async () => {
  await using app = await TestApp.create({ ALLOWED_ORIGINS: `${RULES}, *` });
  const inexact = ["https://a.domain.example/", "https://bare.example/", "https://x.example/"];
  for (const page of [...inexact, ...LOOK_ALIKES.map((origin) => `${origin}#/path`)]) {
    if (page.startsWith(`${FRIEND}/`)) continue;
    assert.equal(await destination(app, page), "/", page);
    const signIn = await app.browser().request(`/signin?return_to=${encodeURIComponent(page)}`);
    assert.match(await signIn.text(), /Sign in to continue\./, page);
  }
});
