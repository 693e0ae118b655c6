import { before, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { AppProcess, buildApp } from "../../support/app/app_process.ts";
import { LiveApp } from "../../support/app/live_app.ts";
import { type Refused, WsClient } from "../../support/app/ws_client.ts";
import type { HttpBrowser } from "../../support/app/http_browser.ts";

before(buildApp);

interface Ticket {
  readonly ticket: string;
  readonly expiresAt: string;
}

/** Requests a ticket like a script outside a browser. */
async function askFor(browser: HttpBrowser, path = "/ws/echo", headers = {}): Promise<Ticket> {
  const response = await browser.request("/api/tickets", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ path }),
  });
  assert.equal(response.status, 201);
  return await response.json();
}

/** Uses a ticket without a cookie. */
function show(
  origin: string,
  ticket: string,
  { path = "/ws/echo", headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Promise<WsClient> {
  return WsClient.connect(origin.replace("http", "ws") + path, {
    protocols: ["sluice.v1", `sluice.ticket.${ticket}`],
    headers,
  });
}

const isInvalid = (refused: Refused) => {
  assert.deepEqual([refused.status, refused.code], [401, "TICKET_INVALID"]);
  return true;
};

test("a ticket opens one socket with sluice.v1, and no second one", async () => {
  await using app = await LiveApp.start();
  const { ticket, expiresAt } = await askFor(await app.signIn("ada"));
  const left = Date.parse(expiresAt) - Date.now();
  assert.ok(left > 25_000 && left <= 30_000, `${left} ms`);
  using socket = await show(app.origin, ticket);
  assert.equal(socket.socket.protocol, "sluice.v1");
  socket.send("hello");
  assert.equal((await socket.next()).text, "hello");
  await assert.rejects(show(app.origin, ticket), isInvalid);
});

test("a ticket for another path or origin is refused, and stays valid for its own", async () => {
  await using app = await LiveApp.start();
  const ada = await app.signIn("ada");
  const { ticket } = await askFor(ada, "/ws/echo", { origin: app.origin });
  const wrong = [
    { path: "/ws/chat/lobby", headers: { origin: app.origin } },
    { path: "/ws/echo" },
    { path: "/ws/echo", headers: { origin: "http://127.0.0.1:1" } },
  ];
  for (const options of wrong) {
    await assert.rejects(show(app.origin, ticket, options), (refused: Refused) => {
      assert.ok(["TICKET_INVALID", "ORIGIN_NOT_ALLOWED"].includes(refused.code!));
      return true;
    });
  }
  using _socket = await show(app.origin, ticket, { headers: { origin: app.origin } });
});

test("a plain GET with a ticket returns the result of an upgrade without consuming the ticket", async () => {
  await using app = await LiveApp.start();
  const { ticket } = await askFor(await app.signIn("ada"));
  const headers = { "sec-websocket-protocol": `sluice.v1, sluice.ticket.${ticket}` };
  const statuses: number[] = [];
  for (let n = 0; n < 2; n++) {
    const response = await fetch(`${app.origin}/ws/echo`, { headers });
    statuses.push(response.status);
    await response.body?.cancel();
  }
  assert.deepEqual(statuses, [426, 426]);
  using _socket = await show(app.origin, ticket);
  const after = await fetch(`${app.origin}/ws/echo`, { headers });
  await after.body?.cancel();
  assert.equal(after.status, 426);
});

test("a ticket for a stream counts for one request with `Authorization: Ticket`", async () => {
  await using app = await LiveApp.start();
  const ada = await app.signIn("ada");
  const path = "/streams/chat/lobby";
  const request = async (headers: Record<string, string>, init: RequestInit = {}, to = path) => {
    const response = await fetch(app.origin + to, { ...init, headers });
    const body = await response.json();
    return [response.status, Array.isArray(body) ? body.length : body.code];
  };
  const say = {
    method: "POST",
    body: JSON.stringify({ type: "say", data: { text: "Hello" } }),
  };
  const shown = async () => ({ authorization: `Ticket ${(await askFor(ada, path)).ticket}` });
  const json = { "content-type": "application/json" };
  assert.deepEqual(await request({ ...await shown(), ...json }, say), [200, undefined]);
  const ticket = await shown();
  assert.deepEqual(await request(ticket, {}, "/streams/chat/other"), [401, "TICKET_INVALID"]);
  const origin = "https://evil.example";
  assert.deepEqual(await request({ ...ticket, origin }), [403, "ORIGIN_NOT_ALLOWED"]);
  assert.deepEqual(await request(ticket), [200, 1]);
  assert.deepEqual(await request(ticket), [401, "TICKET_INVALID"]);
  // Offered like that of a socket, it counts once, too.
  const { ticket: offered } = await askFor(ada, path);
  const offer = { "sec-websocket-protocol": `sluice.v1, sluice.ticket.${offered}` };
  assert.deepEqual(await request(offer), [200, 1]);
  assert.deepEqual(await request(offer), [401, "TICKET_INVALID"]);
  const last = await shown();
  await ada.request("/auth/signout", { method: "POST" });
  assert.deepEqual(await request(last), [401, "TICKET_INVALID"]);
});

test("a ticket is refused after its session signed out", async () => {
  await using app = await LiveApp.start();
  const ada = await app.signIn("ada");
  const { ticket } = await askFor(ada);
  await ada.request("/auth/signout", { method: "POST" });
  await assert.rejects(show(app.origin, ticket), isInvalid);
});

const ENDED: [what: string, end: (ada: HttpBrowser, other: HttpBrowser) => Promise<Response>][] = [
  ["signed out", (ada) => ada.request("/auth/signout", { method: "POST" })],
  ["was ended from elsewhere", (_, other) => other.request("/api/sessions", { method: "DELETE" })],
];
test("a ticket opens no socket on any process after its session ended on another one", async () => {
  const directory = await Deno.makeTempDir();
  {
    const env = { DENO_KV_PATH: join(directory, "kv.sqlite3") };
    await using first = await AppProcess.start(env);
    await using second = await AppProcess.start(env);
    for (const [what, end] of ENDED) {
      const ada = await first.signIn("ada");
      const other = await first.signIn("ada");
      // Both processes have the session in their read cache for a moment.
      for (const process of [first, second]) {
        using _socket = await show(process.origin, (await askFor(ada)).ticket);
      }
      const tickets = await Promise.all(Array.from({ length: 4 }, () => askFor(ada)));
      const { status } = await end(ada, other);
      assert.ok(status < 400, what);
      for (const [n, { ticket }] of tickets.entries()) {
        await assert.rejects(show((n % 2 ? first : second).origin, ticket), isInvalid, what);
      }
    }
  }
  await Deno.remove(directory, { recursive: true });
});

test("the log contains the reason for refusing a ticket, the response does not", async () => {
  const directory = await Deno.makeTempDir();
  {
    const database = { DENO_KV_PATH: join(directory, "kv.sqlite3") };
    const env = { ...database, LOG_FORMAT: "json", DRAIN_SECONDS: "0" };
    await using app = await AppProcess.start(env);
    const ada = await app.signIn("ada");
    const { ticket } = await askFor(ada);
    const headers = { origin: app.origin };
    await assert.rejects(show(app.origin, ticket, { headers }), isInvalid);
    using _socket = await show(app.origin, ticket);
    await assert.rejects(show(app.origin, ticket), isInvalid);
    app.signal("SIGTERM");
    const { stderr } = await app.ended();
    const reasons = stderr.split("\n").filter((line) => line.includes("a ticket was refused"))
      .map((line) => JSON.parse(line).reason);
    assert.deepEqual(reasons, ["requested without an Origin, used with one", "already used"]);
    assert.ok(!stderr.includes(ticket));
  }
  await Deno.remove(directory, { recursive: true });
});

test("a socket opened with a ticket ends with its session", async () => {
  await using app = await LiveApp.start();
  const ada = await app.signIn("ada");
  using socket = await show(app.origin, (await askFor(ada)).ticket);
  await ada.request("/auth/signout", { method: "POST" });
  assert.equal((await socket.closed).code, 4401);
});

test("a bearer token can request tickets like a cookie, and an invalid one is refused", async () => {
  await using app = await LiveApp.start();
  const token = (await app.signIn("ada")).cookies.get("session")!;
  const nobody = app.app.browser();
  assert.equal(nobody.cookies.size, 0);
  const ask = (authorization: string) =>
    fetch(`${app.origin}/api/tickets`, {
      method: "POST",
      headers: { authorization },
      body: '{"path":"/ws/echo"}',
    });
  const response = await ask(`Bearer ${token}`);
  assert.equal(response.status, 201);
  using _socket = await show(app.origin, (await response.json()).ticket);
  const refused = await ask(`Bearer ${token.slice(0, -1)}x`);
  assert.equal(refused.status, 401);
  assert.equal((await refused.json()).code, "NOT_SIGNED_IN");
});

const ASKED: [what: string, body: string, status: number][] = [
  ["a path", '{"path":"/ws/echo"}', 201],
  ["a path with a query", '{"path":"/ws/echo?x=1"}', 201],
  ["a path beside /ws/", '{"path":"/api/me"}', 400],
  ["a path that climbs out", '{"path":"/ws/../api/me"}', 400],
  ["another site", '{"path":"//evil.example/ws/echo"}', 400],
  ["an address", '{"path":"https://evil.example/ws/echo"}', 400],
  ["no path", "{}", 400],
  ["a number", '{"path":7}', 400],
  ["null", "null", 400],
  ["no JSON", "path=/ws/echo", 400],
  ["nothing", "", 400],
  ["a long path", JSON.stringify({ path: `/ws/${"x".repeat(2000)}` }), 400],
  ["very much", JSON.stringify({ path: `/ws/${"x".repeat(5000)}` }), 413],
];
test("a ticket is issued only for a path below /ws/", async () => {
  await using app = await LiveApp.start();
  const ada = await app.signIn("ada");
  for (const [what, body, status] of ASKED) {
    const response = await ada.request("/api/tickets", { method: "POST", body });
    assert.equal(response.status, status, what);
    const { code, ticket } = await response.json();
    assert.equal(code, { 201: undefined, 400: "INVALID_PATH", 413: "BODY_TOO_LARGE" }[status]);
    assert.equal(typeof ticket, status === 201 ? "string" : "undefined");
  }
});

test("a ticket request without a session or from another site is refused", async () => {
  await using app = await LiveApp.start({ ALLOWED_ORIGINS: "https://friend.example" });
  const post = (headers: Record<string, string>) =>
    fetch(`${app.origin}/api/tickets`, { method: "POST", headers, body: '{"path":"/ws/echo"}' });
  const nobody = await post({});
  assert.deepEqual([nobody.status, (await nobody.json()).code], [401, "NOT_SIGNED_IN"]);
  const cookie = (await app.signIn("ada")).cookieHeader;
  const evil = await post({ cookie, origin: "https://evil.example" });
  assert.deepEqual([evil.status, (await evil.json()).code], [403, "CROSS_SITE"]);
  assert.equal(evil.headers.get("access-control-allow-origin"), null);
});

test("a page of an allowed origin can request a ticket, open a socket, and read refusals", async () => {
  await using app = await LiveApp.start({ ALLOWED_ORIGINS: "https://friend.example" });
  const origin = "https://friend.example";
  const preflight = await fetch(`${app.origin}/api/tickets`, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "POST" },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), origin);
  assert.equal(preflight.headers.get("access-control-allow-credentials"), "true");
  const ada = await app.signIn("ada");
  const { ticket } = await askFor(ada, "/ws/echo", { origin, "sec-fetch-site": "same-site" });
  await assert.rejects(show(app.origin, ticket), isInvalid);
  using _socket = await show(app.origin, ticket, { headers: { origin } });
  const refusal = await fetch(`${app.origin}/ws/echo`, { headers: { origin } });
  assert.deepEqual([refusal.status, (await refusal.json()).code], [401, "NOT_SIGNED_IN"]);
  assert.equal(refusal.headers.get("access-control-allow-origin"), origin);
  const foreign = await fetch(`${app.origin}/ws/echo`, {
    headers: { origin: "https://evil.example" },
  });
  await foreign.body?.cancel();
  assert.equal(foreign.headers.get("access-control-allow-origin"), null);
});

test("200 tickets raced by 8 connections each over 2 processes open exactly 200 sockets", async () => {
  const directory = await Deno.makeTempDir();
  const env = {
    DENO_KV_PATH: join(directory, "kv.sqlite3"),
    SOCKETS_PER_USER: "10000",
    SOCKETS_PER_ADDRESS: "10000",
  };
  await using first = await AppProcess.start(env);
  await using second = await AppProcess.start(env);
  const ada = await first.signIn("ada");
  const tickets = await Promise.all(Array.from({ length: 200 }, () => askFor(ada)));
  const opened: WsClient[] = [];
  const refusals = new Map<string, number>();
  const race = async (ticket: string) => {
    const attempts = Array.from(
      { length: 8 },
      (_, n) => show((n % 2 ? first : second).origin, ticket),
    );
    for (const attempt of await Promise.allSettled(attempts)) {
      if (attempt.status === "fulfilled") opened.push(attempt.value);
      else {
        const { code } = attempt.reason as Refused;
        refusals.set(String(code), (refusals.get(String(code)) ?? 0) + 1);
      }
    }
  };
  for (let at = 0; at < tickets.length; at += 20) {
    await Promise.all(tickets.slice(at, at + 20).map(({ ticket }) => race(ticket)));
  }
  for (const socket of opened) socket[Symbol.dispose]();
  assert.deepEqual([opened.length, ...refusals], [200, ["TICKET_INVALID", 1400]]);
  await Deno.remove(directory, { recursive: true });
});
