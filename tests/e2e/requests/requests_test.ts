import { before, test } from "node:test";
import assert from "node:assert/strict";
import { AppProcess, buildApp } from "../../support/app/app_process.ts";
import { isStandIn } from "../../support/compat/fresh_app.ts";
import { LiveApp } from "../../support/app/live_app.ts";
import { rawRequest } from "../../support/raw_request.ts";

before(buildApp);

const HANDSHAKE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

function request(method: string, target: string, headers: Record<string, string>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

test("a malformed Host is 400 on every route, through the log and without a stack", async () => {
  await using app = await AppProcess.start({
    DENO_KV_PATH: ":memory:",
    LOG_LEVEL: "info",
    LOG_FORMAT: "json",
  });
  for (const host of ["a b", "", "a/b", "a?b", "user@a", "[::1", "a:99999", "a,b"]) {
    for (const target of ["/", "/ws/echo", "/api/me", "/healthz", "/auth/dev/auth", "//x"]) {
      const { status, text } = await rawRequest(app.origin, request("GET", target, { Host: host }));
      assert.equal(status, 400, `${host} ${target}`);
      assert.match(text, /"code":"BAD_HOST"/);
    }
  }
  app.signal("SIGTERM");
  const { stderr } = await app.ended();
  const lines = stderr.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.filter(({ level }) => level === "error"), []);
  assert.equal(lines.filter(({ level }) => level === "warn").length, 1);
});

const FOREIGN: [target: string, origin: string][] = [
  ["//sessions", "http://sessions"],
  ["///sessions", "http://sessions"],
  ["/\\sessions", "http://sessions"],
  ["//evil.example/sessions", "http://evil.example"],
  ["http://evil.example/sessions", "http://evil.example"],
  ["http://sessions//sessions", "http://sessions"],
  ["https://evil.example/sessions", "https://evil.example"],
];

for (const publicUrl of [undefined, "https://app.example.com"]) {
  const name = publicUrl === undefined ? "without PUBLIC_URL" : "with PUBLIC_URL";
  test(`a page on another site can neither post nor open sockets with any request target, ${name}`, async () => {
    await using app = await LiveApp.start(publicUrl === undefined ? {} : { PUBLIC_URL: publicUrl });
    const Host = new URL(app.origin).host;
    for (const [target, Origin] of FOREIGN) {
      for (const method of ["POST", "DELETE", "PUT"]) {
        const { status } = await rawRequest(app.origin, request(method, target, { Host, Origin }));
        assert.equal(status, 403, `${method} ${target} from ${Origin}`);
      }
      const socket = target.replace("sessions", "ws/ws/echo");
      const { status, text } = await rawRequest(
        app.origin,
        request("GET", socket, { Host, Origin }).replace(/\r\n$/, `${HANDSHAKE}\r\n`),
      );
      assert.notEqual(status, 101, socket);
      assert.doesNotMatch(text, /access-control-allow-origin/i);
    }
  });
}

test("PUBLIC_URL counts whatever the request target looks like", async () => {
  await using app = await LiveApp.start({ PUBLIC_URL: "https://app.example.com" });
  const Host = new URL(app.origin).host;
  for (
    const origin of ["", "http://evil.example", "https://evil.example", "https://app.example.com"]
  ) {
    const { status } = await rawRequest(app.origin, request("GET", `${origin}/healthz`, { Host }));
    assert.equal(status, 200, origin);
  }
});

test("no request target throws, and none redirects to another site", async () => {
  await using app = await LiveApp.start();
  const Host = new URL(app.origin).host;
  const targets = [
    "//evil.example",
    "///evil.example//",
    "/\\evil.example",
    "//evil.example/rooms",
    "//[/x",
    "//a:99999/x",
    "/%zz",
    "/rooms//evil.example",
    "//evil.example/..",
    "/styles.css?__frsh_c=old",
    "//styles.css?__frsh_c=old",
    "/rooms/%2f%2fevil.example",
    "http://evil.example/rooms",
  ];
  for (const target of targets) {
    const { status, text } = await rawRequest(app.origin, request("GET", target, { Host }));
    assert.ok(status >= 200 && status < 500, `${target}: ${status}`);
    const location = /^location: (.*)\r$/im.exec(text)?.[1];
    if (location !== undefined) assert.match(location, /^\/(?![/\\])/, target);
  }
});

test("a path below /ws/ with slashes at its end passes the checks of the gate in their order", async () => {
  await using app = await LiveApp.start();
  const anonymous = app.browser();
  const ada = await app.signIn("ada");
  for (const path of ["/ws/", "/ws/echo/", "/ws/chat/", "/ws/echo//", "/ws//echo/"]) {
    const expected = [
      [anonymous, "https://evil.example", 403, "ORIGIN_NOT_ALLOWED"],
      [anonymous, app.origin, 401, "NOT_SIGNED_IN"],
      [ada, app.origin, 404, "NO_CONSUMER"],
    ] as const;
    for (const [browser, origin, status, code] of expected) {
      const response = await browser.request(path, { headers: { origin } });
      assert.deepEqual([response.status, (await response.json()).code], [status, code], path);
    }
  }
});

test("a path with percent-encoded letters is the same path, but an encoded slash is not a slash", async () => {
  await using app = await LiveApp.start();
  const browser = await app.signIn("ada");
  for (const path of ["/ws/%65cho", "/ws/ech%6F", "/%77s/echo", "/ws/chat/l%6fbby"]) {
    using client = await app.open(path, browser);
    assert.equal(client.socket.readyState, 1, path);
  }
  const headers = { origin: app.origin };
  // Upstream Fresh compares the paths of pages as they are written, and fails at a broken escape.
  const standIn: [path: string, status: number][] = isStandIn
    ? [["/api/m%65", 200], ["/ws/%zz", 404], ["/ws/%", 404], ["/rooms/%zz", 404]]
    : [];
  const expected: [path: string, status: number][] = [
    ...standIn,
    ["/ws%2Fecho", 404],
    ["/ws/chat%2flobby", 404],
    ["/ws/%2565cho", 404],
  ];
  for (const [path, status] of expected) {
    const response = await browser.request(path, { headers });
    await response.body?.cancel();
    assert.equal(response.status, status, path);
  }
  const ticket = await browser.request("/api/tickets", {
    method: "POST",
    headers,
    body: JSON.stringify({ path: "/ws/%65cho" }),
  });
  const protocols = ["sluice.v1", `sluice.ticket.${(await ticket.json()).ticket}`];
  using client = await app.open("/ws/ech%6f", app.browser(), { protocols });
  assert.equal(client.socket.protocol, "sluice.v1");
});

test("an overlong id is 404 on every route with an id", async () => {
  await using app = await LiveApp.start();
  const browser = await app.signIn("ada");
  for (
    const id of ["a".repeat(3000), "a".repeat(17), "%00", "%F0%9F%92%A5", "a%2Fb", "__proto__"]
  ) {
    const requests: [method: string, path: string][] = [
      ["GET", `/people/${id}`],
      ["POST", `/people/${id}`],
      ["DELETE", `/api/sessions/${id}`],
      ["GET", `/rooms/${id.replace(/^a{17}$/, "a".repeat(65)).replace("__proto__", "%7f")}`],
      ["GET", `/ws/chat/${id.replace(/^a{17}$/, "a".repeat(65)).replace("__proto__", "%7f")}`],
    ];
    for (const [method, path] of requests) {
      const headers = { origin: app.origin };
      const response = await browser.request(path, { method, headers });
      await response.body?.cancel();
      assert.equal(response.status, 404, `${method} ${path.slice(0, 40)}`);
    }
    const page = await browser.request(`/people?after=${id}`);
    await page.body?.cancel();
    assert.equal(page.status, 200);
  }
});

test("behind a proxy, a socket opens with each name of the scheme", async () => {
  await using app = await LiveApp.start({ TRUST_PROXY: "on" });
  const browser = await app.signIn("ada");
  const host = "app.example.com";
  for (const proto of ["wss", "https", "WSS", "Https", "http, wss"]) {
    const headers = {
      origin: `https://${host}`,
      cookie: browser.cookieHeader.replace("session=", "__Host-session="),
      "x-forwarded-proto": proto,
      "x-forwarded-host": host,
    };
    using client = await app.open("/ws/echo", browser, { headers });
    assert.equal(client.socket.readyState, 1, proto);
  }
});

test("behind a proxy, limits apply to an address with a different port each time", async () => {
  await using app = await LiveApp.start({ TRUST_PROXY: "on", HANDSHAKES_PER_ADDRESS: "4" });
  const statusOf = async (address: string) => {
    const headers = { "x-forwarded-for": address, origin: app.origin };
    const response = await fetch(`${app.origin}/ws/echo`, { headers });
    await response.body?.cancel();
    return response.status;
  };
  const addresses = [
    "198.51.100.1:40001",
    "198.51.100.1:40002",
    "::ffff:198.51.100.1",
    "[::ffff:c633:6401]:40003",
    "198.51.100.1",
  ];
  const statuses = [];
  for (const address of addresses) statuses.push(await statusOf(address));
  assert.deepEqual(statuses, [401, 401, 401, 401, 429]);
  assert.equal(await statusOf("64:ff9b::198.51.100.2"), 401);
  assert.equal(await statusOf("64:ff9b::198.51.100.3"), 401);
});

test("PUBLIC_URL over plain http logs a warning at the start if HOST is public", async () => {
  const warns = async (env: Record<string, string>) => {
    await using app = await AppProcess.start({
      DENO_KV_PATH: ":memory:",
      DEV_SIGN_IN: "off",
      ...env,
    });
    app.signal("SIGTERM");
    return / WARN +PUBLIC_URL /.test((await app.ended()).stderr);
  };
  const http = "http://app.example.com";
  assert.equal(await warns({ PUBLIC_URL: http, HOST: "0.0.0.0" }), true);
  assert.equal(await warns({ PUBLIC_URL: "https://app.example.com", HOST: "0.0.0.0" }), false);
  assert.equal(await warns({ PUBLIC_URL: http, HOST: "127.0.0.1" }), false);
});
