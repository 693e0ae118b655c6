import assert from "node:assert/strict";
import { test } from "node:test";
import { DevIdentity, DevProvider, type User } from "../../lib/auth/mod.ts";
import { FakeLog } from "../sessions/fakes.ts";
import { testApp } from "./app.ts";
import { Browser } from "./browser.ts";

const ORIGIN = "http://127.0.0.1:8000";

function setUp() {
  const log = new FakeLog();
  const identity = new DevIdentity({ log });
  const app = testApp([new DevProvider(identity)], {
    log,
    elsewhere: (request) =>
      new URL(request.url).pathname.startsWith("/auth/dev/")
        ? identity.handle(request)
        : new Response("a page"),
  });
  return { ...app, identity, browser: new Browser(app.handle) };
}

async function whoIs(browser: Browser, origin = ORIGIN): Promise<User> {
  const response = await browser.request(`${origin}/api/me`);
  assert.equal(response.status, 200);
  return await response.json();
}

test("DevProvider signs in by redirects alone with a login hint", async () => {
  const { browser } = setUp();
  const { url, response } = await browser.visit(
    `${ORIGIN}/auth/signin?provider=dev&login_hint=ada&return_to=/rooms/lobby`,
  );
  assert.equal(url, `${ORIGIN}/rooms/lobby`);
  assert.equal(response.status, 200);
  const user = await whoIs(browser);
  assert.equal(user.login, "ada");
  assert.equal(user.name, "Ada Lovelace");
  assert.equal(user.provider, "dev");
});

test("DevProvider shows a page with people to choose from, and one click signs in", async () => {
  const { browser } = setUp();
  const { url, response } = await browser.visit(`${ORIGIN}/auth/signin?provider=dev&return_to=/x`);
  const html = await response.text();
  assert.equal(response.status, 200);
  for (const name of ["Ada Lovelace", "Grace Hopper", "Linus Torvalds"]) {
    assert.ok(html.includes(name), name);
  }
  assert.ok(html.includes(`action="${new URL(url).pathname}"`));
  assert.ok(!html.includes("<script"));
  assert.match(response.headers.get("content-security-policy")!, /^default-src 'none'; style-src/);
  assert.equal(response.headers.get("referrer-policy"), "same-origin");

  const end = await browser.visit(url, form({ login: "grace" }));
  assert.equal(end.url, `${ORIGIN}/x`);
  assert.equal((await whoIs(browser)).login, "grace");
});

test("DevProvider takes any name that makes a login", async () => {
  const { browser } = setUp();
  const { url } = await browser.visit(`${ORIGIN}/auth/signin`);
  for (const login of ["", "  ", "<script>", "a".repeat(40), "å/é", "-", "../x"]) {
    const { response } = await browser.visit(url, form({ login }));
    assert.equal(response.status, 422, login);
    assert.match(await response.text(), /role="alert"/);
  }
  await browser.visit(url, form({ login: "  Margaret HAMILTON " }));
  const user = await whoIs(browser);
  assert.deepEqual([user.login, user.name], ["margaret-hamilton", "Margaret Hamilton"]);
});

test("DevProvider lets the same browser be somebody else next time", async () => {
  const { browser } = setUp();
  const ids = new Set<string>();
  for (const login of ["ada", "grace", "ada"]) {
    await browser.visit(`${ORIGIN}/auth/signin?login_hint=${login}`);
    const user = await whoIs(browser);
    assert.equal(user.login, login);
    ids.add(user.id);
  }
  assert.equal(ids.size, 2);
  const { response } = await browser.visit(`${ORIGIN}/auth/signin`);
  assert.match(await response.text(), /Who do you want to be/);
});

test("DevProvider lets several tabs of a browser sign in at once", async () => {
  const { browser } = setUp();
  const one = await browser.visit(`${ORIGIN}/auth/signin?return_to=/one`);
  const two = await browser.visit(`${ORIGIN}/auth/signin?return_to=/two`);
  assert.equal((await browser.visit(one.url, form({ login: "ada" }))).url, `${ORIGIN}/one`);
  assert.equal((await browser.visit(two.url, form({ login: "ada" }))).url, `${ORIGIN}/two`);
});

test("DevProvider says that the person cancelled", async () => {
  const { browser } = setUp();
  const { url } = await browser.visit(`${ORIGIN}/auth/signin?return_to=/x`);
  const { response } = await browser.visit(url, form({ cancel: "yes" }));
  assert.equal(response.status, 400);
  assert.deepEqual(await response.json(), {
    code: "PROVIDER_DENIED",
    message: "The provider did not let you sign in",
    reason: "You cancelled the sign-in",
    provider: "dev",
    returnTo: "/x",
  });
  assert.equal((await browser.request(`${ORIGIN}/api/me`)).status, 401);
});

test("DevProvider works under every name of this machine, each with cookies of its own", async () => {
  const { handle } = setUp();
  for (const origin of ["http://localhost:1234", "http://[::1]:8000", "http://127.0.0.1"]) {
    const browser = new Browser(handle);
    await browser.visit(`${origin}/auth/signin?login_hint=ada`);
    assert.equal((await whoIs(browser, origin)).login, "ada", origin);
  }
});

test("DevProvider gives one person to one login whatever the port", async () => {
  const { handle } = setUp();
  const ids = new Set<string>();
  for (const port of [1, 2]) {
    const browser = new Browser(handle);
    const origin = `http://localhost:${port}`;
    await browser.visit(`${origin}/auth/signin?login_hint=ada`);
    ids.add((await whoIs(browser, origin)).id);
  }
  assert.equal(ids.size, 1);
});

test("DevIdentity serves no other host than this machine", async () => {
  const { identity, handle } = setUp();
  const path = "/auth/dev/.well-known/openid-configuration";
  for (const host of ["example.com", "192.168.0.1", "127.0.0.1.evil.example", "localhost.evil"]) {
    const response = await identity.handle(new Request(`http://${host}${path}`));
    assert.equal(response.status, 403, host);
  }
  const headers = { host: "rebound.example" };
  const request = new Request(ORIGIN + path, { headers });
  if (request.headers.has("host")) assert.equal((await identity.handle(request)).status, 403);
  const begun = await handle(new Request("https://app.example.com/auth/signin?provider=dev"));
  assert.equal(begun.status, 404);
  assert.equal((await begun.json()).code, "UNKNOWN_PROVIDER");
});

test("DevIdentity lets nobody finish the choice of another browser", async () => {
  const { browser, handle } = setUp();
  const { url } = await browser.visit(`${ORIGIN}/auth/signin`);
  const { response } = await new Browser(handle).visit(url, form({ login: "ada" }));
  assert.equal(response.status, 400);
});

test("DevIdentity gives a code to nobody but its own callback", async () => {
  const { browser } = setUp();
  const begun = await browser.request(`${ORIGIN}/auth/signin?login_hint=ada`);
  const url = new URL(begun.headers.get("location")!);
  for (const evil of ["https://evil.example/", `${ORIGIN}/auth/callback/dev/x`, `${ORIGIN}/`]) {
    url.searchParams.set("redirect_uri", evil);
    const response = await browser.request(url.href);
    assert.equal(response.status, 400);
    assert.equal(response.headers.get("location"), null);
  }
});

test("DevIdentity insists on PKCE", async () => {
  const { browser } = setUp();
  const begun = await browser.request(`${ORIGIN}/auth/signin?login_hint=ada`);
  const url = new URL(begun.headers.get("location")!);
  url.searchParams.delete("code_challenge");
  url.searchParams.delete("code_challenge_method");
  const response = await browser.request(url.href);
  assert.match(response.headers.get("location") ?? "", /error=invalid_request/);
});

test("DevIdentity refuses a body that is too large", async () => {
  const { browser } = setUp();
  const { url } = await browser.visit(`${ORIGIN}/auth/signin`);
  const { response } = await browser.visit(url, form({ login: "a".repeat(100_000) }));
  assert.equal(response.status, 413);
});

test("DevIdentity writes nothing to the console", async () => {
  const { browser } = setUp();
  const { warn, info, error } = console;
  const lines: unknown[] = [];
  console.warn = console.info = console.error = (...values: unknown[]) => void lines.push(values);
  try {
    await browser.visit("http://localhost:9999/auth/signin?login_hint=ada");
    await browser.visit("http://localhost:9999/auth/dev/nothing");
  } finally {
    Object.assign(console, { warn, info, error });
  }
  assert.deepEqual(lines, []);
});

function form(fields: Record<string, string>): RequestInit {
  return { method: "POST", body: new URLSearchParams(fields) };
}
