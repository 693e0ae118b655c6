import { before, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { AppProcess, buildApp } from "../../support/app/app_process.ts";
import { restartInTurn } from "../../support/app/rolling_restart.ts";
import { seedUsers } from "../../support/app/seeded_users.ts";
import { WsClient } from "../../support/app/ws_client.ts";

before(buildApp);

const skip = Deno.build.os === "linux" ? false : "ports are shared so on Linux alone";

test(
  "while processes restart in turn, all clients reconnect and each consumer's disconnect() runs",
  {
    skip,
  },
  async () => {
    const drainSeconds = 2;
    const result = await restartInTurn({ sockets: 200, silent: 20, drainSeconds });
    const { drained, connected, disconnected, entered, live, failed, code } = result;
    assert.equal(drained.length, 2);
    assert.equal(disconnected, connected);
    assert.equal(connected, entered);
    assert.equal(live, 200);
    assert.equal(failed, 0);
    for (const { tookMs } of drained) assert.ok(tookMs < 1_000 * drainSeconds + 5_000);
    assert.equal(code, 0);
  },
);

interface Stage extends AsyncDisposable {
  readonly app: AppProcess;
  open(): Promise<WsClient>;
}

/** Two processes on one port. */
async function setStage(drainSeconds: number): Promise<Stage> {
  const directory = await Deno.makeTempDir();
  const kvPath = join(directory, "kv.sqlite3");
  const [user] = await seedUsers(kvPath, 1);
  using free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(free.addr.port);
  free.close();
  const app = await AppProcess.start(
    {
      PORT: port,
      DENO_KV_PATH: kvPath,
      CHANNEL_LAYER: "kv:",
      DEV_SIGN_IN: "off",
      DRAIN_SECONDS: String(drainSeconds),
    },
    "serve",
    ["--processes", "2"],
  );
  await app.listening(2);
  return {
    app,
    open() {
      const headers = { origin: app.origin, cookie: user!.cookie };
      return WsClient.connect(`${app.origin.replace("http", "ws")}/ws/echo`, { headers });
    },
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

test("SIGHUP replaces processes one by one, and the port always has a listener", {
  skip,
}, async () => {
  await using stage = await setStage(1);
  const { app } = stage;
  const before = app.children();
  const sockets = await Promise.all([1, 2, 3, 4, 5, 6].map(() => stage.open()));
  app.signal("SIGHUP");
  for (const socket of sockets) {
    assert.equal((await socket.closed).code, 1012);
    using again = await stage.open();
    again.send("here again");
    assert.equal((await again.next()).text, "here again");
  }
  await app.listening(4);
  while (app.children().some((pid) => before.includes(pid))) {
    const response = await fetch(`${app.origin}/healthz`, { headers: { connection: "close" } });
    assert.equal((await response.json()).status, "ok");
  }
  assert.equal(app.children().length, 2);
  app.signal("SIGTERM");
  assert.equal((await app.ended()).code, 0);
});

test("a signal to the whole group, as from a terminal or systemd, starts a normal drain", {
  skip,
}, async () => {
  await using stage = await setStage(1);
  const { app } = stage;
  const sockets = await Promise.all([1, 2, 3, 4].map(() => stage.open()));
  for (const pid of [...app.children(), app.pid]) Deno.kill(pid, "SIGTERM");
  for (const socket of sockets) assert.equal((await socket.closed).code, 1012);
  assert.equal((await app.ended()).code, 0);
});

test("while all processes drain, new clients are refused with DRAINING", { skip }, async () => {
  await using stage = await setStage(600);
  const { app } = stage;
  using _socket = await stage.open();
  app.signal("SIGTERM");
  // A process without sockets stops at once, and closes its pending connections.
  const asks = async () => {
    const response = await fetch(`${app.origin}/readyz`, { headers: { connection: "close" } });
    await response.body?.cancel();
    return response.status;
  };
  let status = 200;
  while (status !== 503 || app.children().length > 1) status = await asks().catch(() => 0);
  await assert.rejects(stage.open(), { status: 503, code: "DRAINING" });
  app.signal("SIGTERM");
  assert.equal((await app.ended()).code, 130);
});
