import { before, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "../../support/eventually.ts";
import { AppProcess, buildApp } from "../../support/app/app_process.ts";
import type { WsClient } from "../../support/app/ws_client.ts";

before(buildApp);

const LIMIT = 6;

/** How long processes may take to synchronise on a busy machine. */
const PATIENCE_MS = 30_000;

/** Checks that a socket is refused with 429; an admitted one is closed. */
async function assertFull(attempt: Promise<WsClient>): Promise<void> {
  await assert.rejects(
    attempt.then((socket) => socket[Symbol.dispose]()),
    { status: 429, code: "TOO_MANY_SOCKETS" },
  );
}

test("a user who opens sockets on three processes at once stays within the limit, and the sockets of a killed process stop counting", async () => {
  const directory = await Deno.makeTempDir();
  const env = {
    DENO_KV_PATH: join(directory, "kv.sqlite3"),
    CHANNEL_LAYER: "kv:",
    SOCKETS_PER_USER: String(LIMIT),
  };
  await using one = await AppProcess.start(env);
  await using two = await AppProcess.start(env);
  await using three = await AppProcess.start(env);
  const processes = [one, two, three];
  const [ada, grace] = [await one.signIn("ada"), await one.signIn("grace")];
  // Processes are synchronised when each counts the sockets of the others.
  const known = await Promise.all(
    processes.flatMap((process) => [1, 2].map(() => process.open("/ws/echo", grace))),
  );
  for (const process of processes) {
    await eventually(() => assertFull(process.open("/ws/echo", grace)), PATIENCE_MS);
  }

  const attempts = processes.map(async (process) => {
    const all = await Promise.allSettled(
      Array.from({ length: 2 * LIMIT }, () => process.open("/ws/echo", ada)),
    );
    return all.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
  });
  const opened: WsClient[][] = await Promise.all(attempts);
  const sum = opened.flat().length;
  // At most two more than the limit if messages are in time, which a busy machine does not guarantee.
  assert.ok(sum >= LIMIT && sum < 3 * LIMIT, `${sum} sockets`);
  for (const process of processes) {
    await eventually(() => assertFull(process.open("/ws/echo", ada)), PATIENCE_MS);
  }

  assert.ok(opened[0]!.length > 0, "the process that is killed has some");
  one.signal("SIGKILL");
  for (const socket of opened[1]!.concat(opened[2]!)) socket[Symbol.dispose]();
  // All sockets, some of which the killed process had.
  const again = await eventually(async () => {
    const all = await Promise.allSettled(
      Array.from({ length: LIMIT }, () => two.open("/ws/echo", ada)),
    );
    const sockets = all.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
    if (sockets.length === LIMIT) return sockets;
    for (const socket of sockets) socket[Symbol.dispose]();
    throw new Error(`${sockets.length} sockets`);
  }, PATIENCE_MS);
  for (const socket of [...known, ...opened.flat(), ...again]) socket[Symbol.dispose]();
  await Deno.remove(directory, { recursive: true });
});

test("handshakes and sign-ins of one address are counted over all processes", async () => {
  const directory = await Deno.makeTempDir();
  const env = {
    DENO_KV_PATH: join(directory, "kv.sqlite3"),
    CHANNEL_LAYER: "kv:",
    HANDSHAKES_PER_ADDRESS: "120",
    SIGN_INS_PER_ADDRESS: "120",
  };
  await using one = await AppProcess.start(env);
  await using two = await AppProcess.start(env);
  for (const path of ["/ws/echo", "/auth/signin?provider=dev"]) {
    const asks = async (process: AppProcess) => {
      const response = await process.browser().request(path);
      await response.body?.cancel();
      return response.status;
    };
    await asks(two);
    // The other process may have published the one that it admitted.
    for (let n = 0; n < 119; n++) assert.notEqual(await asks(one), 429);
    // Alone, it would admit 120.
    let asked = 1;
    while (await asks(two) !== 429) {
      assert.ok(++asked < 100, `${path}: the other process does not know`);
      await pause(200);
    }
  }
  await Deno.remove(directory, { recursive: true });
});
