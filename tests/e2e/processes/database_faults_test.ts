import { before, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { AppProcess, buildApp } from "../../support/app/app_process.ts";
import type { WsClient } from "../../support/app/ws_client.ts";

before(buildApp);

async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await work(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

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

test("a database whose disk is missing at the start answers 503 until the disk is there, without a restart", async () => {
  await withDirectory(async (directory) => {
    const volume = join(directory, "volume");
    await Deno.symlink(volume, join(directory, "data"));
    await using app = await AppProcess.start({
      DENO_KV_PATH: join(directory, "data", "kv.sqlite3"),
      CHANNEL_LAYER: "kv:",
    });
    const missing = ["database", "layer"];
    assert.deepEqual(await readyz(app, 503), { status: "unavailable", missing });
    assert.equal((await fetch(`${app.origin}/healthz`)).status, 200);
    const stranger = app.browser();
    stranger.cookies.set("session", `${"a".repeat(16)}.${"b".repeat(43)}`);
    await assert.rejects(app.open("/ws/chat/lobby", stranger), {
      status: 503,
      code: "UNAVAILABLE",
    });
    const page = await stranger.request("/rooms/lobby");
    assert.equal(page.status, 503);
    assert.match(page.headers.get("content-type")!, /^text\/html/);
    await page.body?.cancel();

    await Deno.mkdir(volume);
    await readyz(app, 200);
    using socket = await app.open("/ws/chat/lobby", await app.signIn("ada"));
    await socket.frame("welcome");
    assert.match(await say(socket, "here"), /^[0-9a-f-]{36}$/);
  });
});

/** Two users talk while the database fails and recovers. */
async function talkThrough(
  kvPath: string,
  fault: { begin(): void | Promise<void>; end(): void | Promise<void> },
): Promise<void> {
  await using app = await AppProcess.start({ DENO_KV_PATH: kvPath, CHANNEL_LAYER: "kv:" });
  using ada = await app.open("/ws/chat/lobby", await app.signIn("ada"));
  using grace = await app.open("/ws/chat/lobby", await app.signIn("grace"));
  await Promise.all([ada.frame("welcome"), grace.frame("welcome")]);
  const acknowledged = [await say(ada, "before")];
  await fault.begin();
  assert.equal(await say(ada, "meanwhile"), "UNAVAILABLE");
  const { missing } = await readyz(app, 503) as { missing: string[] };
  assert.ok(missing.includes("database"));
  assert.equal((await fetch(`${app.origin}/healthz`)).status, 200);
  await fault.end();
  await readyz(app, 200);
  acknowledged.push(await say(ada, "after"));
  for (const id of acknowledged) {
    const { data } = await grace.frame("said");
    assert.equal((data as { id: string }).id, id);
  }
}

test("a database that is locked for long answers UNAVAILABLE, loses no acknowledged message, and recovers", async () => {
  await withDirectory(async (directory) => {
    const kvPath = join(directory, "kv.sqlite3");
    let locker: DatabaseSync | undefined;
    await talkThrough(kvPath, {
      begin() {
        locker = new DatabaseSync(kvPath);
        locker.exec("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE");
      },
      end() {
        locker!.exec("ROLLBACK");
        locker!.close();
      },
    });
  });
});

/** Returns whether this user may mount a file system with a size limit. */
async function canMount(): Promise<boolean> {
  const directory = await Deno.makeTempDir();
  const isMounted = await run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory);
  if (isMounted) await run("umount", directory);
  await Deno.remove(directory);
  return isMounted;
}

async function run(program: string, ...args: string[]): Promise<boolean> {
  try {
    const options = { args, stdout: "null", stderr: "null" } as const;
    return (await new Deno.Command(program, options).output()).success;
  } catch {
    return false;
  }
}

test(
  "a full disk answers UNAVAILABLE, loses no acknowledged message, and recovers when there is space",
  {
    skip: await canMount() ? false : "a small disk can be made by root on Linux alone",
  },
  async () => {
    await withDirectory(async (directory) => {
      const disk = join(directory, "disk");
      await Deno.mkdir(disk);
      assert.ok(await run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk));
      const ballast = join(disk, "ballast");
      try {
        await talkThrough(join(disk, "kv.sqlite3"), {
          begin: () => fill(ballast),
          end: () => Deno.remove(ballast),
        });
      } finally {
        await run("umount", "-l", disk);
      }
    });
  },
);

/** Writes a file until the disk is full. */
async function fill(path: string): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  try {
    for (const size of [65_536, 4_096, 512]) {
      const chunk = new Uint8Array(size);
      await assert.rejects(async () => {
        while (true) if (await file.write(chunk) < size) throw new Error("full");
      });
    }
  } finally {
    await file.sync().catch(() => {});
  }
}
