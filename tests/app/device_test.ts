import { test } from "node:test";
import assert from "node:assert/strict";
import { UserChanges } from "@sluice/sluice/auth";
import { listAll } from "@sluice/sluice/kv";
import type { Environment } from "../../app/settings/settings.ts";
import { FakeClock } from "../../lib/testing/fake_clock.ts";
import { TestApp } from "../support/app/test_app.ts";
import type { HttpBrowser } from "../support/app/http_browser.ts";

const DAY_MS = 86_400_000;

/** An app, ada in a browser, and a program that signs in. */
async function setUp(env: Environment = {}, options: Parameters<typeof TestApp.create>[1] = {}) {
  const app = await TestApp.create(env, options);
  const program = app.browser();
  const ada = app.browser();
  await ada.signIn("ada");
  const post = async (path: string, fields: Record<string, string>, headers = {}) => {
    const body = new URLSearchParams(fields);
    const response = await program.request(path, { method: "POST", body, headers });
    const { status } = response;
    const text = await response.text();
    return {
      status,
      headers: response.headers,
      body: text.startsWith("{") ? JSON.parse(text) : {},
    };
  };
  const begin = async () => (await post("/auth/device", {})).body;
  const poll = (device: { device_code: string }) =>
    post("/auth/device/token", { device_code: device.device_code });
  const decide = async (
    browser: HttpBrowser,
    device: { user_code: string },
    headers: Record<string, string> = {},
  ) => {
    const body = new URLSearchParams({ user_code: device.user_code, answer: "approve" });
    const response = await browser.request("/device", { method: "POST", body, headers });
    const text = await response.text();
    return { status: response.status, isApproved: text.includes("signed in as you") };
  };
  /** Signs in a program that ada approves, and returns its token. */
  const token = async () => {
    const device = await begin();
    assert.deepEqual(await decide(ada, device), { status: 200, isApproved: true });
    const { body } = await poll(device);
    return body.access_token as string;
  };
  const me = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await program.request("/api/me", { headers });
    await response.body?.cancel();
    return response.status;
  };
  return { app, ada, program, begin, poll, decide, token, me };
}

/** The ways to send a token. */
const SHOWN: [how: string, headers: (token: string, cookie: string) => Record<string, string>][] = [
  ["as a bearer token", (token) => ({ authorization: `Bearer ${token}` })],
  ["as a bearer token in lower case", (token) => ({ authorization: `bearer  ${token}` })],
  ["as a cookie", (token) => ({ cookie: `session=${token}` })],
  ["as a bearer token beside the owner's cookie", (token, cookie) => ({
    authorization: `Bearer ${token}`,
    cookie,
  })],
];
const PAGES: [method: string, path: string, fields?: Record<string, string>][] = [
  ["GET", "/device"],
  ["GET", "/device?user_code=BCDF-GHJK"],
  ["POST", "/device", { user_code: "BCDF-GHJK", answer: "approve" }],
  ["GET", "/people"],
  ["GET", "/people/USER"],
  ["POST", "/people/USER", { do: "ban" }],
];
for (const [how, headers] of SHOWN) {
  test(`/device and /people refuse a program's token sent ${how}`, async () => {
    const { app, ada, token, me } = await setUp();
    await using _app = app;
    await app.browser().signIn("grace");
    const { users } = await app.services.users.list({ login: "grace" });
    const shown = headers(await token(), ada.cookieHeader);
    for (const [method, path, fields] of PAGES) {
      const response = await app.handle(
        new Request(app.origin + path.replace("USER", users[0]!.id), {
          method,
          headers: shown,
          ...fields === undefined ? {} : { body: new URLSearchParams(fields) },
        }),
        {
          remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
        } as Deno.ServeHandlerInfo,
      );
      await response.body?.cancel();
      assert.equal(response.status, 401, `${method} ${path}`);
    }
    assert.equal((await app.services.users.get(users[0]!.id))?.bannedAt, undefined);
    assert.equal(await me(await token()), 200);
  });
}

test("/device and /people refuse a browser's own token sent as a bearer token", async () => {
  const { app, ada, program, begin, poll, decide } = await setUp();
  await using _app = app;
  const headers = { authorization: `Bearer ${ada.cookies.get("session")}` };
  const device = await begin();
  assert.deepEqual(await decide(program, device, headers), { status: 401, isApproved: false });
  assert.deepEqual(await decide(ada, device, headers), { status: 401, isApproved: false });
  assert.equal((await program.request("/people", { headers })).status, 401);
  assert.equal((await poll(device)).body.error, "authorization_pending");
});

test("a program cannot approve another one, which would outlive the approving sign-in", async () => {
  const clock = new FakeClock(Date.now());
  const env = { SESSION_IDLE_TTL: "1d", SESSION_MAX_TTL: "2d" };
  const { app, ada, token, me, begin, decide, poll } = await setUp(env, { clock });
  await using _app = app;
  clock.pause(DAY_MS - 1);
  assert.equal((await ada.request("/api/me")).status, 200);
  clock.pause(DAY_MS / 2);
  const first = await token();
  const device = await begin();
  await decide(app.browser(), device, { authorization: `Bearer ${first}` });
  assert.equal((await poll(device)).body.error, "authorization_pending");
  clock.pause(DAY_MS / 2);
  assert.equal(await me(first), 200);
  clock.pause(1);
  assert.equal(await me(first), 401);
});

test("many programs end no browser session of their user", async () => {
  const { app, ada, token, me } = await setUp({ SESSIONS_PER_USER: "3" });
  await using _app = app;
  const tokens: string[] = [];
  for (let program = 0; program < 30; program++) tokens.push(await token());
  assert.equal((await ada.request("/api/me")).status, 200);
  const statuses = await Promise.all(tokens.map(me));
  assert.equal(statuses.filter((status) => status === 200).length, 3);
});

const REVOKED: [
  what: string,
  revoke: (parts: Awaited<ReturnType<typeof setUp>>) => Promise<void>,
][] = [
  ["the browser ended all other sessions", async ({ ada }) => {
    assert.equal((await ada.request("/api/sessions", { method: "DELETE" })).status, 204);
  }],
  ["the browser ended all others and signed out", async ({ ada }) => {
    await ada.request("/api/sessions", { method: "DELETE" });
    await ada.request("/auth/signout", { method: "POST" });
  }],
  ["the browser signed out", async ({ ada }) => {
    await ada.request("/auth/signout", { method: "POST" });
  }],
  ["another browser ended all others", async ({ app }) => {
    const other = app.browser();
    await other.signIn("ada");
    await other.request("/api/sessions", { method: "DELETE" });
  }],
  ["the user was banned and unbanned", async ({ app, ada }) => {
    const { id } = await (await ada.request("/api/me")).json();
    await new UserChanges(app.services).ban(id);
    await new UserChanges(app.services).unban(id);
  }],
];
for (const [what, revoke] of REVOKED) {
  test(`an approved program gets no token once ${what}`, async () => {
    const parts = await setUp();
    await using app = parts.app;
    const device = await parts.begin();
    await parts.decide(parts.ada, device);
    const { id } = await (await parts.ada.request("/api/me")).json();
    await revoke(parts);
    const { status, body } = await parts.poll(device);
    assert.deepEqual([status, body], [400, { error: "access_denied" }]);
    const kinds = (await app.services.sessions.list(id)).map(({ kind }) => kind);
    assert.ok(!kinds.includes("program"));
  });
}

test("a program polls again after a failed response, and ends up with one session", async () => {
  const { app, ada, begin, decide, poll, me } = await setUp();
  await using _app = app;
  const device = await begin();
  await decide(ada, device);
  const { sessions } = app.services;
  const create = sessions.create.bind(sessions);
  sessions.create = async (request) => {
    sessions.create = create;
    await create(request);
    throw new Error("the answer of the database was lost");
  };
  const failed = await poll(device);
  assert.deepEqual([failed.status, failed.body], [503, { error: "temporarily_unavailable" }]);
  assert.ok(Number(failed.headers.get("retry-after")) > 0);
  const { status, body } = await poll(device);
  assert.equal(status, 200);
  assert.equal(await me(body.access_token), 200);
  const { id } = await (await ada.request("/api/me")).json();
  assert.equal((await sessions.list(id)).length, 2);
});

test("wrong program codes are soon refused with 429, in a link as in a form", async () => {
  const { app, ada, begin, decide } = await setUp();
  await using _app = app;
  const device = await begin();
  const guess = (n: number) => {
    const code = `BBBB-BBB${"BCDFGHJKLM"[n % 10]}`;
    return n % 2
      ? ada.request(`/device?user_code=${code}`)
      : ada.request("/device", { method: "POST", body: new URLSearchParams({ user_code: code }) });
  };
  const statuses: number[] = [];
  let last = new Response();
  for (let n = 0; n < 200; n++) {
    last = await guess(n);
    statuses.push(last.status);
    if (n < 199) await last.body?.cancel();
  }
  assert.ok(statuses.filter((status) => status === 200).length <= 25);
  assert.equal(last.status, 429);
  assert.ok(Number(last.headers.get("retry-after")) >= 1);
  assert.match(await last.text(), /Too many wrong codes/);
  // The right code is refused as well, and so is another user at the same address.
  assert.equal((await decide(ada, device)).status, 429);
  const grace = app.browser();
  await grace.signIn("grace");
  assert.equal((await decide(grace, device)).status, 429);
});

test("polls of programs are limited by address, and early ones write nothing", async () => {
  const clock = new FakeClock(Date.now());
  const { app, begin, poll } = await setUp({ SIGN_INS_PER_ADDRESS: "20" }, { clock });
  await using _app = app;
  const device = await begin();
  const versions = new Set<string>();
  const { kv } = app.services.database;
  const readGrants = () => Array.fromAsync(listAll(kv, { prefix: ["device_grants"] }));
  const errors: string[] = [];
  const statuses: number[] = [];
  for (let n = 0; n < 210; n++) {
    const { status, body, headers } = await poll(device);
    statuses.push(status);
    errors.push(body.error);
    if (status === 429) assert.ok(Number(headers.get("retry-after")) >= 1);
    for (const { version } of await readGrants()) versions.add(version);
  }
  assert.equal(errors[0], "authorization_pending");
  assert.ok(errors.slice(1).every((error) => error === "slow_down"));
  assert.equal(versions.size, 1);
  assert.deepEqual([statuses[199], statuses[200], statuses[209]], [400, 429, 429]);
});

test("new program sign-ins are limited by address", async () => {
  const { app, program } = await setUp({ SIGN_INS_PER_ADDRESS: "3" });
  await using _app = app;
  const statuses: number[] = [];
  for (let n = 0; n < 5; n++) {
    const response = await program.request("/auth/device", { method: "POST" });
    statuses.push(response.status);
    await response.body?.cancel();
  }
  assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
});

test("a program reads and writes a stream with its bearer token, without an Origin, until the sign-out", async () => {
  const { app, program, token } = await setUp();
  await using _app = app;
  const headers = { authorization: `Bearer ${await token()}` };
  const path = "/streams/chat/lobby";
  const request = async (init: { method?: string; body?: string; headers: HeadersInit }) => {
    const response = await program.request(path, init);
    const body = await response.json();
    return [response.status, Array.isArray(body) ? body.length : body.code];
  };
  const say = {
    method: "POST",
    body: '{"type":"say","data":{"text":"Hello"}}',
    headers: { ...headers, "content-type": "application/json" },
  };
  assert.deepEqual(await request(say), [200, undefined]);
  for (let reads = 0; reads < 2; reads++) {
    assert.deepEqual(await request({ headers }), [200, 1]);
  }
  const evil = { ...headers, origin: "https://evil.example" };
  assert.deepEqual(await request({ headers: evil }), [403, "ORIGIN_NOT_ALLOWED"]);
  const live = program.request(`${path}?offset=now&live=long-poll`, { headers });
  const signOut = await program.request("/auth/signout", {
    method: "POST",
    headers: { ...headers, accept: "application/json" },
  });
  assert.equal(signOut.status, 204);
  assert.equal((await live).status, 401);
  assert.deepEqual(await request({ headers }), [401, "NOT_SIGNED_IN"]);
});
