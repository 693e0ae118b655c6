import { before, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { AppProcess, buildApp } from "../../support/app/app_process.ts";
import type { WsClient } from "../../support/app/ws_client.ts";
import { eventually } from "../../support/eventually.ts";
import { PostgresServer, whyNoPostgres } from "../../support/postgres/postgres_server.ts";

before(buildApp);

const needsPostgres = { skip: whyNoPostgres() ?? false, timeout: 120_000 };

/** Polls `/readyz` until it answers with `status`, and returns the body. */
async function readyz({ origin }: AppProcess, status: number): Promise<unknown> {
  while (true) {
    const response = await fetch(`${origin}/readyz`);
    const body = await response.json();
    if (response.status === status) return body;
    await pause(50);
  }
}

/** Sends a text, and returns its id or the code of the refusal. */
async function say(socket: WsClient, text: string): Promise<string> {
  socket.sendJson({ type: "say", data: { text }, id: text });
  const reply = await socket.frame("reply") as {
    readonly data?: { readonly id: string };
    readonly error?: { readonly code: string };
  };
  return reply.data?.id ?? reply.error!.code;
}

/** Signs a browser in at one process, and opens a socket at another one with the same session. */
async function elsewhere(here: AppProcess, there: AppProcess, login: string): Promise<WsClient> {
  const { cookies } = await here.signIn(login);
  const browser = there.browser();
  for (const [name, value] of cookies) browser.cookies.set(name, value);
  return await there.open("/ws/chat/lobby", browser);
}

test(
  "processes that share only PostgreSQL share sessions, rooms and the end of sessions",
  needsPostgres,
  async () => {
    await using server = await PostgresServer.start();
    const env = { DATABASE_URL: server.url(), CHANNEL_LAYER: "kv:" };
    await using here = await AppProcess.start(env);
    await using there = await AppProcess.start(env);
    const ada = await here.signIn("ada");
    using one = await here.open("/ws/chat/lobby", ada);
    using other = await elsewhere(here, there, "grace");
    await Promise.all([one.frame("welcome"), other.frame("welcome")]);
    const id = await say(one, "hello");
    assert.equal(((await other.frame("said")).data as { id: string }).id, id);

    const browser = there.browser();
    for (const [name, value] of ada.cookies) browser.cookies.set(name, value);
    await browser.request("/auth/signout", { method: "POST", headers: { origin: there.origin } });
    assert.equal((await one.closed).code, 4401);
  },
);

test(
  "a killed PostgreSQL answers 503, loses no acknowledged message, and the app recovers by itself",
  needsPostgres,
  async () => {
    await using server = await PostgresServer.start();
    await using app = await AppProcess.start({
      DATABASE_URL: server.url(),
      CHANNEL_LAYER: "kv:",
    });
    using ada = await app.open("/ws/chat/lobby", await app.signIn("ada"));
    const browser = await app.signIn("grace");
    using grace = await app.open("/ws/chat/lobby", browser);
    await Promise.all([ada.frame("welcome"), grace.frame("welcome")]);
    const acknowledged = [await say(ada, "before")];
    await server.kill();
    const { missing } = await readyz(app, 503) as { missing: string[] };
    assert.ok(missing.includes("database"));
    assert.equal(await say(ada, "meanwhile"), "UNAVAILABLE");
    // The session may be in the read cache for a second more.
    await eventually(() => {
      return assert.rejects(app.open("/ws/echo", browser), { status: 503, code: "UNAVAILABLE" });
    });
    await server.restart();
    await readyz(app, 200);
    acknowledged.push(await say(ada, "after"));
    for (const id of acknowledged) {
      assert.equal(((await grace.frame("said")).data as { id: string }).id, id);
    }
  },
);

test(
  "an app on PostgreSQL that is not there starts, answers 503, and serves when it is",
  needsPostgres,
  async () => {
    await using server = await PostgresServer.start();
    await server.kill();
    const url = server.url().replace("sluice@", "sluice:s3cretpw@");
    await using app = await AppProcess.start({ DATABASE_URL: url, CHANNEL_LAYER: "kv:" });
    await readyz(app, 503);
    await server.restart();
    await readyz(app, 200);
    assert.ok(!`${app.stdout}${app.stderr}`.includes("s3cretpw"));
  },
);

test("sessions survive a restart in SQLite, and the file is private", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sluice-sqlite-"));
  const path = join(folder, "data", "db.sqlite");
  const env = { DATABASE_URL: `sqlite:${path}`, CHANNEL_LAYER: "kv:" };
  try {
    let cookies: Map<string, string>;
    {
      await using first = await AppProcess.start(env);
      ({ cookies } = await first.signIn("ada"));
      assert.match(first.stdout, /SQLite /);
    }
    assert.equal((await Deno.stat(path)).mode! & 0o077, 0);
    await using second = await AppProcess.start(env);
    const browser = second.browser();
    for (const [name, value] of cookies) browser.cookies.set(name, value);
    using socket = await second.open("/ws/chat/lobby", browser);
    await socket.frame("welcome");
  } finally {
    await rm(folder, { recursive: true });
  }
});
