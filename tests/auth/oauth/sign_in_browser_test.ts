import assert from "node:assert/strict";
import { test } from "node:test";
import { Audit, type AuditEntry, UserChanges } from "../../../lib/auth/mod.ts";
import { listAll, MemoryKeyValue } from "../../../lib/kv/mod.ts";
import { fakeScope } from "../../support/fake_scope.ts";
import { testApp } from "../../support/auth/app.ts";
import { Browser } from "../../support/auth/browser.ts";
import { Yes } from "../../support/auth/yes.ts";

const ORIGIN = "https://app.example.com";
const SIGN_IN = `${ORIGIN}/auth/signin?return_to=/rooms/lobby`;

function setUp() {
  const yes = new Yes();
  const kv = new MemoryKeyValue();
  let audit: Audit | undefined;
  /** The stored events, of all users. */
  const stored = async () => {
    await audit?.written();
    return await Array.fromAsync(
      listAll<AuditEntry>(kv, { prefix: ["audit"] }),
      ({ value }) => value,
    );
  };
  const taken: string[] = [];
  const attempts = { take: (address: string) => void taken.push(address) };
  const app = testApp([yes], { attempts, audit: (options) => audit = new Audit(kv, options) });
  return { ...app, yes, stored, taken, browser: new Browser(app.handle) };
}

function stateIn(response: Response): string {
  assert.equal(response.status, 302);
  return new URL(response.headers.get("location")!).searchParams.get("state")!;
}

function callback(state: string): string {
  return `${ORIGIN}/auth/callback/yes?code=c&state=${state}`;
}

async function signIn(browser: Browser): Promise<string> {
  const state = stateIn(await browser.request(SIGN_IN));
  assert.equal((await browser.request(callback(state))).status, 303);
  return browser.cookie(ORIGIN, "__Host-session")!;
}

/** The Fetch Metadata headers of a request. */
function fetchMetadata(site: string, mode = "navigate", dest = "document"): HeadersInit {
  return { "sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest };
}

test("SignIn lets two tabs that begin at the same moment both finish", async () => {
  const app = setUp();
  const begun = await Promise.all([app.browser.request(SIGN_IN), app.browser.request(SIGN_IN)]);
  const [first, second] = begun.map(stateIn);
  assert.equal((await app.browser.request(callback(second!))).status, 303);
  assert.equal((await app.browser.request(callback(first!))).status, 303);
  assert.equal((await app.browser.request(callback(first!))).status, 400);
});

test("SignIn lets two tabs finish at the same moment", async () => {
  const app = setUp();
  const states = [await app.browser.request(SIGN_IN), await app.browser.request(SIGN_IN)]
    .map(stateIn);
  const finished = await Promise.all(states.map((state) => app.browser.request(callback(state))));
  assert.deepEqual(finished.map(({ status }) => status), [303, 303]);
  assert.equal((await app.browser.request(`${ORIGIN}/api/me`)).status, 200);
});

test("SignIn keeps the ten newest sign-ins of a browser, and drops the oldest", async () => {
  const app = setUp();
  const states: string[] = [];
  for (let tab = 0; tab < 14; tab++) {
    states.push(stateIn(await app.browser.request(SIGN_IN)));
    await app.clock.advance(1);
  }
  assert.equal(app.browser.cookies(ORIGIN).split("; ").length, 10);
  const finished: number[] = [];
  for (const state of states) finished.push((await app.browser.request(callback(state))).status);
  assert.deepEqual(finished, [...Array(4).fill(400), ...Array(10).fill(303)]);
  assert.match(app.browser.cookies(ORIGIN), /^__Host-session=[^;]+$/);
});

test("SignIn deletes a bounded number of cookies at a time", async () => {
  const app = setUp();
  for (let n = 0; n < 90; n++) {
    app.browser.setCookie(ORIGIN, `__Host-signin-${String(n).padStart(16, "0")}`, "x");
  }
  const state = stateIn(await app.browser.request(SIGN_IN));
  assert.equal(app.browser.cookies(ORIGIN).split("; ").length, 71);
  assert.equal((await app.browser.request(callback(state))).status, 303);
});

test("SignIn refuses another browser's state, even with a cookie for another sign-in", async () => {
  const app = setUp();
  const attacker = new Browser(app.handle);
  const state = stateIn(await attacker.request(SIGN_IN));
  const own = stateIn(await app.browser.request(SIGN_IN));
  assert.equal((await app.browser.request(callback(state))).status, 400);
  const [name] = attacker.cookies(ORIGIN).split("=");
  const again = stateIn(await attacker.request(SIGN_IN));
  const [, value] = app.browser.cookies(ORIGIN).split("=");
  app.browser.setCookie(ORIGIN, name!, value!);
  assert.equal((await app.browser.request(callback(again))).status, 400);
  assert.equal((await app.browser.request(callback(own))).status, 303);
});

test("signing in again as the same user keeps the sockets, and renews the session's secret", async () => {
  const app = setUp();
  const token = await signIn(app.browser);
  const { connection } = fakeScope(ORIGIN);
  app.sessions.connections.subscribe(token.split(".")[0]!, connection);
  const end = () => connection.ended && [connection.ended.code, connection.ended.reason];
  const renewed = await signIn(app.browser);
  assert.equal(end(), undefined);
  assert.equal(renewed.split(".")[0], token.split(".")[0]);
  assert.notEqual(renewed, token);
  await app.clock.advance(10_000);
  assert.equal((await app.sessions.find(token)).state, "unknown");
  assert.equal((await app.sessions.find(renewed)).state, "live");

  app.yes.subject = "2";
  await signIn(app.browser);
  assert.deepEqual(end(), [4401, "replaced"]);
});

test("signing in again as the same user creates a session if the old one has ended", async () => {
  const app = setUp();
  const token = await signIn(app.browser);
  await app.sessions.end(token.split(".")[0]!, "revoked");
  assert.notEqual((await signIn(app.browser)).split(".")[0], token.split(".")[0]);
});

const NOT_NAVIGATIONS: [what: string, headers: HeadersInit][] = [
  ["an image", fetchMetadata("cross-site", "no-cors", "image")],
  ["an image of this site", fetchMetadata("same-origin", "no-cors", "image")],
  ["a script's request", fetchMetadata("same-origin", "cors", "empty")],
  ["a frame", fetchMetadata("cross-site", "navigate", "iframe")],
  ["an embedded object", fetchMetadata("cross-site", "navigate", "object")],
  ["a prefetched page", { ...fetchMetadata("none"), "sec-purpose": "prefetch;prerender" }],
  ["a WebSocket", fetchMetadata("cross-site", "websocket", "websocket")],
  ["an image, with half of the headers", { "sec-fetch-mode": "no-cors" }],
  ["an image, with the other half", { "sec-fetch-dest": "image" }],
  ["an image in an older browser", { accept: "image/webp,image/*;q=0.8,*/*;q=0.5" }],
  ["a style sheet in an older browser", { accept: "text/css,*/*;q=0.1" }],
  ["a script's request in an older browser", { origin: "https://evil.example" }],
];
for (const [what, headers] of NOT_NAVIGATIONS) {
  test(`SignIn refuses ${what}, and does not count it`, async () => {
    const app = setUp();
    const state = stateIn(await app.browser.request(SIGN_IN));
    app.taken.length = 0;
    for (const path of [SIGN_IN, callback(state)]) {
      for (let n = 0; n < 60; n++) {
        const response = await app.browser.request(path, { headers });
        assert.equal(response.status, 403);
        assert.equal(response.headers.get("set-cookie"), null);
        assert.equal((await response.json()).code, "NOT_A_NAVIGATION");
      }
    }
    assert.deepEqual(app.taken, []);
    assert.ok(app.log.lines.length <= 3, `${app.log.lines.length} lines`);
    assert.equal((await app.browser.request(callback(state))).status, 303);
  });
}

const NAVIGATIONS: [what: string, headers: HeadersInit][] = [
  ["a link of this site", fetchMetadata("same-origin")],
  ["a typed URL", fetchMetadata("none")],
  ["a link of another site", fetchMetadata("cross-site")],
  ["an older browser", { accept: "text/html,application/xhtml+xml,*/*;q=0.8" }],
  ["curl", { accept: "*/*" }],
  ["Node's fetch", { accept: "*/*", "sec-fetch-mode": "cors" }],
];
for (const [what, headers] of NAVIGATIONS) {
  test(`SignIn begins and finishes for ${what}`, async () => {
    const app = setUp();
    const state = stateIn(await app.browser.request(SIGN_IN, { headers }));
    assert.equal((await app.browser.request(callback(state), { headers })).status, 303);
    assert.equal(app.taken.length, 2);
  });
}

for (const site of ["cross-site", "same-site"]) {
  test(`SignIn asks a signed-in user coming from ${site}`, async () => {
    const app = setUp();
    const token = await signIn(app.browser);
    app.yes.subject = "attacker";
    app.taken.length = 0;
    const asked = await app.browser.request(SIGN_IN, { headers: fetchMetadata(site) });
    assert.equal(asked.status, 409);
    const { code, provider, returnTo } = await asked.json();
    assert.deepEqual([code, provider, returnTo], ["ALREADY_SIGNED_IN", "yes", "/rooms/lobby"]);
    assert.deepEqual([app.taken.length, app.yes.requests.length], [0, 1]);
    assert.equal(app.browser.cookie(ORIGIN, "__Host-session"), token);
    assert.equal((await app.sessions.find(token)).state, "live");

    const meant = await app.browser.request(SIGN_IN, { headers: fetchMetadata("same-origin") });
    assert.equal(meant.status, 302);
  });
}

test("SignIn records a banned user's attempt under that user, once a minute", async () => {
  const app = setUp();
  await signIn(app.browser);
  const { id } = await (await app.browser.request(`${ORIGIN}/api/me`)).json();
  await new UserChanges(app).ban(id);
  const before = await app.stored();
  for (let n = 0; n < 5; n++) {
    const browser = new Browser(app.handle);
    const state = stateIn(await browser.request(SIGN_IN));
    assert.equal((await browser.request(callback(state))).status, 403);
  }
  const noted = (await app.stored()).slice(before.length)
    .map(({ kind, code, userId }) => [kind, code, userId]);
  assert.deepEqual(noted, [["sign-in-failed", "BANNED", id]]);
});

test("SignIn logs 100 failures of a kind as one line at once and one line with a count", async () => {
  const app = setUp();
  for (let n = 0; n < 100; n++) {
    const response = await app.browser.request(callback("A".repeat(43)));
    assert.equal(response.status, 400);
  }
  const lines = () => app.log.lines.map(({ fields }) => [fields?.code, fields?.count]);
  assert.deepEqual(lines(), [["TRANSACTION_INVALID", undefined]]);
  await app.clock.advance(10_000);
  assert.deepEqual(lines(), [["TRANSACTION_INVALID", undefined], ["TRANSACTION_INVALID", 100]]);
  assert.deepEqual(await app.stored(), []);
});
