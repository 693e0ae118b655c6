import { test } from "node:test";
import assert from "node:assert/strict";
import { type Clock, systemClock } from "@sluice/sluice/server";
import type { HttpBrowser } from "../../support/app/http_browser.ts";
import { LiveApp } from "../../support/app/live_app.ts";

const HOUR_MS = 3_600_000;

/** The machine's clock, which a test advances. */
class ForwardClock implements Clock {
  #aheadMs = 0;

  now(): number {
    return systemClock.now() + this.#aheadMs;
  }

  elapsed(): number {
    return systemClock.elapsed() + this.#aheadMs;
  }

  after(ms: number, callback: () => void): () => void {
    return systemClock.after(ms, callback);
  }

  forward(ms: number): void {
    this.#aheadMs += ms;
  }
}

/** Two browsers with one cookie: the owner's and the thief's. */
async function setUp() {
  const clock = new ForwardClock();
  const app = await LiveApp.start({}, { clock });
  const owner = await app.signIn("ada");
  const thief = app.browser();
  for (const [name, value] of owner.cookies) thief.cookies.set(name, value);
  return { app, clock, owner, thief };
}

async function statusOf(browser: HttpBrowser, path = "/api/me", init?: RequestInit) {
  const response = await browser.request(path, init);
  await response.body?.cancel();
  return response.status;
}

test("a stolen cookie that is used after the owner's new one ends its session and is recorded", async () => {
  const { app, clock, owner, thief } = await setUp();
  await using _app = app;
  using own = await app.open("/ws/echo", owner);
  using stolen = await app.open("/ws/echo", thief);
  const token = owner.cookies.get("session");
  const { id } = await (await owner.request("/api/me")).json();
  clock.forward(23 * HOUR_MS);
  assert.equal(await statusOf(owner), 200);
  assert.equal(owner.cookies.get("session"), token, "not yet");

  clock.forward(2 * HOUR_MS);
  assert.equal(await statusOf(owner, "/rooms"), 200);
  assert.notEqual(owner.cookies.get("session"), token);
  using _again = await app.open("/ws/echo", owner);
  assert.equal(await statusOf(thief), 200, "what is on its way may arrive");
  assert.equal(thief.cookies.get("session"), token, "and gets no other");
  for (const socket of [own, stolen]) {
    socket.send("still there");
    assert.equal((await socket.next()).text, "still there");
  }

  clock.forward(10_000);
  await assert.rejects(app.open("/ws/echo", thief), { code: "NOT_SIGNED_IN" });
  assert.equal(await statusOf(owner), 401);
  for (const socket of [own, stolen]) assert.equal((await socket.closed).code, 4401);
  const { audit } = app.app.services;
  await audit.written();
  const entries = await audit.list(id);
  assert.deepEqual(
    entries.map(({ kind, code }) => [kind, code]).filter(([kind]) => kind !== "refused"),
    [["session-ended", "stolen"], ["session-rotated", undefined], ["signed-in", undefined]],
  );
});

test("a browser that never receives its new cookie stays signed in and gets the cookie again", async () => {
  const { app, clock, owner } = await setUp();
  await using _app = app;
  const headers = { cookie: owner.cookieHeader };
  clock.forward(25 * HOUR_MS);
  for (let lost = 0; lost < 3; lost++) {
    const response = await fetch(`${app.origin}/api/me`, { headers });
    await response.body?.cancel();
    assert.equal(response.status, 200);
    clock.forward(HOUR_MS);
    using _socket = await app.open("/ws/echo", owner);
  }
  const token = owner.cookies.get("session");
  assert.equal(await statusOf(owner), 200);
  assert.notEqual(owner.cookies.get("session"), token);
  assert.equal(await statusOf(owner), 200);
  clock.forward(11_000);
  assert.equal(await statusOf(owner), 200);
});

test("ten concurrent requests give the browser one valid new cookie", async () => {
  const { app, clock, owner } = await setUp();
  await using _app = app;
  clock.forward(25 * HOUR_MS);
  const responses = await Promise.all(Array.from({ length: 10 }, () => owner.request("/api/me")));
  for (const response of responses) await response.body?.cancel();
  assert.deepEqual(responses.map(({ status }) => status), Array(10).fill(200));
  const given = responses.flatMap(({ headers }) => headers.getSetCookie());
  assert.equal(new Set(given).size, 1);
  clock.forward(HOUR_MS);
  assert.equal(await statusOf(owner), 200);
});

test("a program's token is not renewed, and a sign-out sets no new cookie", async () => {
  const { app, clock, owner } = await setUp();
  await using _app = app;
  clock.forward(25 * HOUR_MS);
  const authorization = `Bearer ${owner.cookies.get("session")}`;
  const program = app.browser();
  assert.equal(await statusOf(program, "/api/me", { headers: { authorization } }), 200);
  assert.equal(program.cookies.size, 0);
  const init = { method: "POST", headers: { origin: app.origin } };
  assert.equal(await statusOf(owner, "/auth/signout", init), 303);
  assert.equal(owner.cookies.has("session"), false);
});
