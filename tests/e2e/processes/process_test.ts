import { before, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { AppProcess, buildApp } from "../../support/app/app_process.ts";

before(buildApp);

async function withDirectory(work: (kvPath: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await work(join(directory, "data", "kv.sqlite3"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

test("the app prints its address, sign-in providers, database and layer", async () => {
  await withDirectory(async (kvPath) => {
    await using process = await AppProcess.start({ DENO_KV_PATH: kvPath });
    assert.match(process.origin, /^http:\/\/127\.0\.0\.1:\d+$/);
    for (const text of ["dev (a development identity)", kvPath, "memory:"]) {
      assert.ok(process.stdout.includes(text), text);
    }
    assert.equal((await fetch(`${process.origin}/healthz`).then((r) => r.json())).status, "ok");
  });
});

const WRONG: [what: string, env: Record<string, string>, names: string][] = [
  ["an invalid port", { PORT: "eighty" }, "PORT"],
  ["an unknown layer", { CHANNEL_LAYER: "pigeon:" }, "CHANNEL_LAYER"],
  ["half a GitHub pair", { GITHUB_CLIENT_ID: "x" }, "GITHUB_CLIENT_SECRET"],
  ["development sign-in in public", { DEV_SIGN_IN: "on", HOST: "0.0.0.0" }, "DEV_SIGN_IN"],
  ["a database that cannot be a file", { DENO_KV_PATH: "/dev/null/kv" }, "DENO_KV_PATH"],
  ["a folder as the database", { DENO_KV_PATH: "tests" }, "DENO_KV_PATH"],
  ["another file as the database", { DENO_KV_PATH: "deno.lock" }, "DENO_KV_PATH"],
  ["a folder as the SQLite file", { DATABASE_URL: "sqlite:tests" }, "DATABASE_URL"],
  ["another file as the SQLite file", { DATABASE_URL: "sqlite:deno.lock" }, "DATABASE_URL"],
  ["an address of another database", { DATABASE_URL: "mysql://db" }, "DATABASE_URL"],
  ["a host with a port", { HOST: "127.0.0.1:80", DENO_KV_PATH: ":memory:" }, "HOST"],
  ["a host that is a URL", { HOST: "http://127.0.0.1", DENO_KV_PATH: ":memory:" }, "HOST"],
  ["an address of another machine", { HOST: "192.0.2.1", DENO_KV_PATH: ":memory:" }, "HOST"],
];
for (const [what, env, name] of WRONG) {
  test(`${what} stops the start with one sentence that names ${name}, and status 1`, async () => {
    const { code, stderr, stdout } = await AppProcess.spawn({ PORT: "0", ...env }).ended();
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^${name} [^\\n]*\\.\\n$`));
    assert.equal(stdout, "");
  });
}

test("the password in the address of a database is printed nowhere", async () => {
  for (const LOG_FORMAT of ["text", "json"]) {
    await using process = await AppProcess.start({
      DENO_KV_PATH: "https://user:s3cretpw@127.0.0.1:1/database",
      DENO_KV_ACCESS_TOKEN: "t0ken",
      LOG_FORMAT,
    });
    process.signal("SIGTERM");
    const { stdout, stderr } = await process.ended();
    assert.match(stdout + stderr, /https:\/\/127\.0\.0\.1:1\/database/);
    assert.doesNotMatch(stdout + stderr, /s3cretpw|t0ken/);
  }
});

test("a used port stops the start with one sentence", async () => {
  using taken = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = taken.addr as Deno.NetAddr;
  const { code, stderr } = await AppProcess.spawn({
    PORT: String(port),
    DENO_KV_PATH: ":memory:",
  }).ended();
  assert.equal(code, 1);
  assert.match(stderr, /^PORT is "\d+", which is already in use[^\n]*\n$/);
});

test("users stay signed in after kill -9 during a conversation and a restart", async () => {
  await withDirectory(async (kvPath) => {
    await using first = await AppProcess.start({ DENO_KV_PATH: kvPath });
    const people = [await first.signIn("ada"), await first.signIn("grace")];
    const sockets = [];
    for (const user of people) {
      const socket = await first.open("/ws/chat/lobby", user);
      await socket.frame("welcome");
      for (let count = 0; count < 50; count++) {
        socket.sendJson({ type: "say", data: { text: `${count}` } });
      }
      sockets.push(socket);
    }
    await sockets[0]!.frame("said");
    first.signal("SIGKILL");
    for (const socket of sockets) await socket.closed;

    await using second = await AppProcess.start({ DENO_KV_PATH: kvPath });
    for (const user of people) {
      const browser = second.browser();
      for (const [name, value] of user.cookies) browser.cookies.set(name, value);
      assert.equal((await browser.request("/api/me")).status, 200);
      using socket = await second.open("/ws/chat/lobby", browser);
      await socket.frame("welcome");
    }
  });
});

test("SIGTERM closes all sockets with 1012 and exits with status 0", async () => {
  await using process = await AppProcess.start({ DENO_KV_PATH: ":memory:", DRAIN_SECONDS: "1" });
  const ada = await process.signIn("ada");
  const sockets = await Promise.all([1, 2, 3].map(() => process.open("/ws/echo", ada)));
  process.signal("SIGTERM");
  for (const socket of sockets) assert.equal((await socket.closed).code, 1012);
  assert.equal((await process.ended()).code, 0);
});

test("a second signal ends the process at once", async () => {
  await using process = await AppProcess.start({ DENO_KV_PATH: ":memory:", DRAIN_SECONDS: "600" });
  using socket = await process.open("/ws/echo", await process.signIn("ada"));
  process.signal("SIGINT");
  // Two signals in quick succession may be merged.
  await process.prints("Stopping");
  socket.send("still here");
  assert.equal((await socket.next()).text, "still here");
  process.signal("SIGINT");
  assert.equal((await process.ended()).code, 130);
});
