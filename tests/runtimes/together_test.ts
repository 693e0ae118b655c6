import { test } from "node:test";
import assert from "node:assert/strict";
import type { WsClient } from "../support/app/ws_client.ts";
import { PostgresServer, whyNoPostgres } from "../support/postgres/postgres_server.ts";
import { RedisServer, whyNoRedis } from "../support/redis/redis_server.ts";
import { findRuntime, type RuntimeName } from "../../tools/provide/runtimes.ts";
import { installPackage } from "../support/runtimes/installed_package.ts";
import { RuntimeServer } from "../support/runtimes/runtime_server.ts";

/** One server on each runtime. */
const TOGETHER: readonly RuntimeName[] = ["deno", "node22", "bun"];

/** How fast a sign-out must close the sockets of all processes, in milliseconds. */
const SIGN_OUT_MS = 1_000;

const missing = TOGETHER.filter((name) => findRuntime(name) === undefined);
const skip = whyNoPostgres() ?? whyNoRedis() ??
  (missing.length > 0 ? `not installed: ${missing.join(", ")}` : false);

test("Deno, Node and Bun share a room over Redis and sessions in PostgreSQL", {
  skip,
  timeout: 120_000,
}, async () => {
  await using project = await installPackage();
  await using postgres = await PostgresServer.start();
  await using redis = await RedisServer.start();
  const env = { DATABASE_URL: postgres.url(), REDIS_URL: redis.url };
  await using servers = new AsyncDisposableStack();
  const all: RuntimeServer[] = [];
  for (const name of TOGETHER) {
    const server = await RuntimeServer.start(name, project.folder, "together.js", env);
    all.push(servers.use(server));
  }

  await assert.rejects(all[2]!.open("/ws/room"), { status: 401, code: "NOT_SIGNED_IN" });
  // Each user signs in on one runtime, and connects to all of them.
  const visitors = await Promise.all(all.map((server, n) => server.signIn(`user${n}`)));
  using clients = new DisposableStack();
  const sockets: WsClient[][] = [];
  for (const visitor of visitors) {
    const own = await Promise.all(all.map((server) => server.open("/ws/room", visitor)));
    sockets.push(own.map((socket) => clients.use(socket)));
  }
  for (const [n, name] of ["deno", "node", "bun"].entries()) {
    sockets[0]![n]!.sendJson({ type: "say", data: { text: "hello" } });
    for (const socket of sockets.flat()) {
      const { data } = await socket.frame("said");
      assert.deepEqual(data, { from: `user0 on ${name}`, text: "hello" });
    }
  }

  for (const [n, server] of all.entries()) {
    const before = performance.now();
    await server.signOut(visitors[n]!);
    const codes = await Promise.all(sockets[n]!.map(async ({ closed }) => (await closed).code));
    assert.deepEqual(codes, [4401, 4401, 4401]);
    const took = performance.now() - before;
    assert.ok(took < SIGN_OUT_MS, `a sign-out on ${server.name} took ${Math.round(took)} ms`);
  }
  await assert.rejects(all[1]!.open("/ws/room", visitors[0]), { status: 401 });
  assert.deepEqual(
    await Promise.all(all.map((server) => (server.kill("SIGTERM"), server.ended()))),
    [
      0,
      0,
      0,
    ],
  );
});
