import assert from "node:assert/strict";
import { test } from "node:test";
import { answerSignIn } from "../../../lib/auth/mod.ts";
import { DevIdentity, DevProvider } from "../../../lib/auth/dev/mod.ts";
import { FakeLog } from "../../support/fake_log.ts";
import { testApp } from "../../support/auth/app.ts";
import { Browser } from "../../support/auth/browser.ts";

const ORIGIN = "http://127.0.0.1:8000";

function setUp({ address = "127.0.0.1" } = {}) {
  const { signIn, sessions, handle } = testApp([
    new DevProvider(new DevIdentity({ log: new FakeLog() })),
  ]);
  const browser = new Browser(async (request) => {
    const url = new URL(request.url);
    return await answerSignIn(signIn, request, { url, address }) ?? await handle(request);
  });
  const isSignedIn = async () => (await browser.request(`${ORIGIN}/api/me`)).status === 200;
  return { browser, sessions, isSignedIn };
}

test("answerSignIn() signs in with the development provider, whose pages it serves, and out", async () => {
  const { browser, isSignedIn } = setUp();
  const page = await browser.visit(`${ORIGIN}/auth/signin?return_to=/rooms`);
  assert.match(await page.response.text(), /Ada Lovelace/);
  const body = new URLSearchParams({ login: "ada" });
  const end = await browser.visit(page.url, { method: "POST", body });
  assert.equal(end.url, `${ORIGIN}/rooms`);
  assert.equal(await isSignedIn(), true);
  const signedOut = await browser.request(`${ORIGIN}/auth/signout`, { method: "POST" });
  assert.deepEqual([signedOut.status, signedOut.headers.get("location")], [303, "/"]);
  assert.equal(await isSignedIn(), false);
});

test("answerSignIn() refuses a sign-out that another site asks for", async () => {
  const { browser, isSignedIn } = setUp();
  await browser.visit(`${ORIGIN}/auth/signin?login_hint=ada`);
  const attacks: Record<string, string>[] = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", origin: ORIGIN },
  ];
  for (const headers of attacks) {
    const response = await browser.request(`${ORIGIN}/auth/signout`, { method: "POST", headers });
    assert.equal(response.status, 403, JSON.stringify(headers));
  }
  const get = await browser.request(`${ORIGIN}/auth/signout`);
  assert.deepEqual([get.status, get.headers.get("allow")], [405, "POST"]);
  assert.equal(await isSignedIn(), true);
});

test("answerSignIn() shows a failure as a page with a link to try again", async () => {
  const { browser } = setUp();
  const response = await browser.request(`${ORIGIN}/auth/callback/dev?code=1`);
  const html = await response.text();
  assert.equal(response.status, 400);
  assert.match(html, /This sign-in was not begun here/);
  assert.match(html, /href="\/auth\/signin\?provider=dev"/);
  assert.match(response.headers.get("content-security-policy")!, /^default-src 'none'/);
});

test("answerSignIn() escapes what a link brings", async () => {
  const { browser } = setUp();
  const path = `/auth/signin?provider=x&return_to=${encodeURIComponent('/"><script>')}`;
  const response = await browser.request(ORIGIN + path);
  const html = await response.text();
  assert.equal(response.status, 404);
  assert.ok(!html.includes("<script"), html);
  assert.ok(html.includes("return_to=%2F"), html);
});

test("answerSignIn() serves the development provider to this machine only", async () => {
  const { browser } = setUp({ address: "192.0.2.7" });
  for (const path of ["/auth/signin", "/auth/dev/.well-known/openid-configuration"]) {
    assert.equal((await browser.request(ORIGIN + path)).status, 403, path);
  }
});

test("answerSignIn() leaves every other path to the application", async () => {
  const { browser } = setUp();
  for (const path of ["/", "/auth", "/auth/signin/x", "/auth/callback/", "/ws/chat"]) {
    const response = await browser.request(ORIGIN + path);
    assert.equal(await response.text(), "a page", path);
  }
});
