import { before, test } from "node:test";
import assert from "node:assert/strict";
import { AppProcess, buildApp } from "./app_process.ts";
import { floodBody, RawClient } from "../server/raw_request.ts";

const MIB = 1_048_576;

/** What a client sends of each body, at most. */
const BODY_BYTES = 200 * MIB;

/** How much memory all bodies together may cost: what the runtime needs to serve so many requests. */
const MAX_GROWTH = 20 * MIB;

before(buildApp);

/** The path of every route of the app, by its file: `people/[id].tsx` becomes `/people/x`. */
function routePaths(folder = new URL("../../routes/", import.meta.url), path = ""): string[] {
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

const METHODS = ["POST", "PUT", "PATCH", "DELETE", "GET"];

async function residentBytes({ origin }: AppProcess): Promise<number> {
  const metrics = await (await fetch(`${origin}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1]);
}

test("a chunked body of 200 MiB is refused on every route, signed in or not, and memory stays flat", async () => {
  await using app = await AppProcess.start({ DENO_KV_PATH: ":memory:", LOG_LEVEL: "info" });
  const { cookieHeader } = await app.signIn("ada");
  const host = new URL(app.origin).host;
  const send = async (method: string, path: string, cookie: string, bytes = BODY_BYTES) => {
    using client = new RawClient(app.origin);
    const head =
      `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${app.origin}\r\n${cookie}`;
    return await floodBody(client, head, { bytes });
  };
  const signedIn = `Cookie: ${cookieHeader}\r\n`;
  // What the routes themselves load and keep does not count.
  for (const path of PATHS) {
    for (const method of METHODS) await send(method, path, "", 1);
    await send("GET", path, signedIn, 1);
  }
  const before = await residentBytes(app);
  for (const cookie of ["", signedIn]) {
    for (const path of PATHS) {
      for (const method of METHODS) {
        const { status, text } = await send(method, path, cookie);
        const what = `${method} ${path} ${cookie === "" ? "signed out" : "signed in"}`;
        // The socket gate decides without the body, and Deno shows none of a GET.
        if (path.startsWith("/ws/") || method === "GET") {
          assert.ok(status >= 200 && status < 500, what);
          continue;
        }
        const code = /"code":"(\w+)"/.exec(text)?.[1];
        assert.deepEqual([status, code], [413, "BODY_TOO_LARGE"], what);
      }
    }
  }
  const growth = await residentBytes(app) - before;

  assert.ok(growth < MAX_GROWTH, `memory grew by ${growth} bytes`);
});

test("past the limit the app closes the connection and reads nothing more", async () => {
  await using app = await AppProcess.start({ DENO_KV_PATH: ":memory:" });
  for (const path of ["/auth/device/token", "/api/tickets", "/auth/signout", "/ws/echo"]) {
    using client = new RawClient(app.origin);
    const head = `POST ${path} HTTP/1.1\r\nHost: ${new URL(app.origin).host}\r\n`;
    const answer = await floodBody(client, head, { bytes: BODY_BYTES, untilClosed: true });
    assert.equal(answer.status, path === "/ws/echo" ? 405 : 413, path);
    assert.ok(answer.sent < 50 * MIB, `${path}: the app took ${answer.sent} bytes`);
  }
});

test("a client that leaves in the middle of its body is no error, and the app goes on", async () => {
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
