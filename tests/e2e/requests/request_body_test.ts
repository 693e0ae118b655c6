import { before, test } from "node:test";
import assert from "node:assert/strict";
import { AppProcess, buildApp } from "../../support/app/app_process.ts";
import { floodBody, RawClient } from "../../support/raw_request.ts";

const MIB = 1_048_576;

/** Maximum size that a client sends of each body. */
const BODY_BYTES = 200 * MIB;

/** Maximum memory growth for all bodies: the runtime needs this to serve so many requests. */
const MAX_GROWTH = 20 * MIB;

before(buildApp);

/** Returns the paths of all routes from their files: `people/[id].tsx` becomes `/people/x`. */
function routePaths(folder = new URL("../../../routes/", import.meta.url), path = ""): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    if (/^[_(]/.test(name)) return [];
    if (isDirectory) return routePaths(new URL(`${name}/`, folder), `${path}/${name}`);
    const segment = name.replace(/\.tsx?$/, "").replace(/^\[.+\]$/, "x");
    return [segment === "index" ? path || "/" : `${path}/${segment}`];
  });
}

const PATHS = [
  ...routePaths(),
  "/nothing",
  "/styles.css",
  "/auth/dev/token",
  "/auth/dev/auth",
  "/auth/dev/interaction/x",
  "//sessions",
];

async function residentBytes({ origin }: AppProcess): Promise<number> {
  const metrics = await (await fetch(`${origin}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1]);
}

/** Sends a chunked body of up to `bytes` bytes, and returns the response. */
async function send(
  { origin }: AppProcess,
  request: { method: string; path: string; cookie?: string; bytes?: number },
) {
  const { method, path, cookie = "", bytes = BODY_BYTES } = request;
  using client = new RawClient(origin);
  const host = new URL(origin).host;
  const head = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\n${cookie}`;
  const { status, text } = await floodBody(client, head, { bytes });
  return { status, code: /"code":"(\w+)"/.exec(text)?.[1] };
}

test("a chunked body of 200 MiB is refused on every route, signed in or not, without memory growth", async () => {
  await using app = await AppProcess.start({ DENO_KV_PATH: ":memory:", LOG_LEVEL: "info" });
  const { cookieHeader } = await app.signIn("ada");
  // Memory that the routes themselves allocate does not count.
  for (const path of [...PATHS, ...PATHS]) await send(app, { method: "POST", path, bytes: 1 });
  const before = await residentBytes(app);
  for (const cookie of ["", `Cookie: ${cookieHeader}\r\n`]) {
    for (const path of PATHS) {
      const { status, code } = await send(app, { method: "POST", path, cookie });
      assert.deepEqual([status, code], TOO_LARGE, `${path} ${cookie && "signed in"}`);
    }
  }
  const growth = await residentBytes(app) - before;
  assert.ok(growth < MAX_GROWTH, `memory grew by ${growth} bytes`);
});

const TOO_LARGE = [413, "BODY_TOO_LARGE"];

test("a body beyond the limit is refused for each method, and the body of a GET is not read", async () => {
  await using app = await AppProcess.start({ DENO_KV_PATH: ":memory:" });
  for (const path of ["/", "/api/me", "/api/sessions/x", "/auth/signin", "/healthz", "/nothing"]) {
    for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS", "BREW"]) {
      const { status, code } = await send(app, { method, path });
      assert.deepEqual([status, code], TOO_LARGE, `${method} ${path}`);
    }
    // Deno exposes no body of a GET, and discards it after the response.
    const { status } = await send(app, { method: "GET", path });
    assert.ok(status >= 200 && status < 500, `GET ${path}: ${status}`);
  }
});

test("beyond the limit the app closes the connection and reads no more bytes", async () => {
  await using app = await AppProcess.start({ DENO_KV_PATH: ":memory:" });
  for (const path of ["/auth/device/token", "/api/tickets", "/auth/signout", "/ws/echo"]) {
    using client = new RawClient(app.origin);
    const head = `POST ${path} HTTP/1.1\r\nHost: ${new URL(app.origin).host}\r\n`;
    const answer = await floodBody(client, head, { bytes: BODY_BYTES, untilClosed: true });
    assert.equal(answer.status, 413, path);
    assert.ok(answer.sent < 50 * MIB, `${path}: the app took ${answer.sent} bytes`);
  }
});

test("endless trailers after a body are refused on every route, without memory growth", async () => {
  await using app = await AppProcess.start({ DENO_KV_PATH: ":memory:" });
  for (const path of ["/", "/auth/device/token", "/api/tickets", "/auth/signout", "/nothing"]) {
    const before = await residentBytes(app);
    using client = new RawClient(app.origin);
    const head = `POST ${path} HTTP/1.1\r\nHost: ${new URL(app.origin).host}\r\n`;
    await client.write(`${head}Transfer-Encoding: chunked\r\n\r\n0\r\n`);
    const trailer = `X: ${"y".repeat(MIB)}\r\n`;
    let isOpen = true;
    while (isOpen && client.sent < 1024 * MIB) isOpen = await client.write(trailer);
    assert.ok(!isOpen, `${path}: the app read ${client.sent} bytes`);
    const growth = await residentBytes(app) - before;
    assert.ok(growth < 200 * MIB, `${path}: memory grew by ${growth} bytes`);
  }
});

test("a client that disconnects during its body causes no error", async () => {
  await using app = await AppProcess.start({ DENO_KV_PATH: ":memory:" });
  const { cookieHeader } = await app.signIn("ada");
  for (const path of ["/auth/device/token", "/api/tickets", "/sessions", "/auth/dev/token"]) {
    const client = new RawClient(app.origin);
    await client.write(
      `POST ${path} HTTP/1.1\r\nHost: ${new URL(app.origin).host}\r\n` +
        `Cookie: ${cookieHeader}\r\nContent-Length: 100\r\n\r\nhalf`,
    );
    client[Symbol.dispose]();
  }
  assert.equal((await fetch(`${app.origin}/healthz`)).status, 200);
  app.signal("SIGTERM");
  const { code, stderr } = await app.ended();
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /ERROR|^ +at /m);
});

test("forms and JSON up to 4 KiB arrive as before", async () => {
  await using app = await AppProcess.start({ DENO_KV_PATH: ":memory:" });
  const browser = await app.signIn("ada");
  const ticket = await browser.request("/api/tickets", {
    method: "POST",
    body: JSON.stringify({ path: "/ws/echo", filler: "a".repeat(4000) }),
  });
  assert.equal(ticket.status, 201);
  const begun = await browser.request("/auth/device", { method: "POST" });
  const { device_code, user_code } = await begun.json();
  for (const body of [new FormData(), new URLSearchParams()]) {
    body.set("user_code", user_code);
    const page = await browser.request("/device", { method: "POST", body });
    assert.equal(page.status, 200);
    await page.body?.cancel();
  }
  const polled = await browser.request("/auth/device/token", {
    method: "POST",
    body: new URLSearchParams({ device_code }),
  });
  assert.equal((await polled.json()).error, "access_denied");
  await (await browser.request("/sessions", { method: "POST", body: "end=others" })).body?.cancel();
});

test("a GET that announces a large body is refused on every route, sockets included", async () => {
  await using app = await AppProcess.start({ DENO_KV_PATH: ":memory:" });
  for (const path of ["/", "/api/me", "/ws/echo", "/ws/nothing", "/healthz"]) {
    using client = new RawClient(app.origin);
    const { host } = new URL(app.origin);
    await client.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 9000\r\n\r\n`);
    await client.write("a".repeat(9000));
    const { status } = await client.received();
    assert.equal(status, 413, path);
  }
});
