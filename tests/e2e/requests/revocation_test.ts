import { before, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { AppProcess, buildApp } from "../../support/app/app_process.ts";
import type { HttpBrowser } from "../../support/app/http_browser.ts";
import type { Environment } from "../../../app/settings/settings.ts";
import { RedisServer, whyNoRedis } from "../../support/redis/redis_server.ts";
import { suspend } from "../../support/redis/suspend.ts";
import { SilentPeer } from "../../support/app/silent_peer.ts";
import { WsClient } from "../../support/app/ws_client.ts";

before(buildApp);

const ROOM = "/ws/chat/lobby";

/** A socket of a session on a process, and its messages after the revocation. */
interface Watched {
  readonly user: number;
  readonly process: number;
  /** Whether its peer reads nothing, so that received messages are unknown. */
  readonly isStalled: boolean;
  /** Time of the last message after the revocation, in milliseconds. */
  lastMs: number;
  isOver: boolean;
}

interface Stage extends AsyncDisposable {
  readonly processes: readonly AppProcess[];
  readonly people: readonly HttpBrowser[];
  readonly watched: readonly Watched[];
  /** Starts the clock of `lastMs`. */
  revoked(): void;
  /** Sends a message to all sockets, on every process. */
  talk(): void;
}

const LOGINS = ["ada", "grace", "linus"];

/**
 * Three processes on one database file, and three users with `each` sockets per process. Half of the peers
 * answer no close frame, and every second one of these reads nothing either. A fourth user talks all the
 * time.
 */
async function setStage(each: number, settings: Environment = {}): Promise<Stage> {
  const directory = await Deno.makeTempDir();
  const env = {
    DENO_KV_PATH: join(directory, "kv.sqlite3"),
    SOCKETS_PER_USER: "1000",
    SOCKETS_PER_ADDRESS: "10000",
    MESSAGES_PER_SECOND: "1000",
    MESSAGE_BURST: "1000",
    ...settings,
  };
  const processes = await Promise.all([1, 2, 3].map(() => AppProcess.start(env)));
  const people = await Promise.all(LOGINS.map((login) => processes[0]!.signIn(login)));
  const talker = await processes[0]!.signIn("talker");
  const talkers = await Promise.all(processes.map((process) => process.open(ROOM, talker)));
  const watched: Watched[] = [];
  const peers: Disposable[] = [...talkers];
  let revokedAt = Infinity;
  await Promise.all(
    processes.flatMap((process, at) =>
      people.flatMap((browser, user) =>
        Array.from({ length: each }, async (_, n) => {
          const isStalled = n % 4 === 0;
          const socket: Watched = { user, process: at, isStalled, lastMs: 0, isOver: false };
          watched.push(socket);
          const heard = () => {
            if (performance.now() > revokedAt) socket.lastMs = performance.now() - revokedAt;
          };
          const over = () => void (socket.isOver = true);
          const isSilent = n % 2 === 0;
          peers.push(await connect({ process, browser, isSilent, isStalled, heard, over }));
        })
      )
    ),
  );
  return {
    processes,
    people,
    watched,
    revoked: () => void (revokedAt = performance.now()),
    talk() {
      for (const socket of talkers) {
        socket.sendJson({ type: "say", data: { text: "still there?" } });
      }
    },
    async [Symbol.asyncDispose]() {
      for (const peer of peers) peer[Symbol.dispose]();
      await Promise.all(processes.map((process) => process[Symbol.asyncDispose]()));
      await Deno.remove(directory, { recursive: true });
    },
  };
}

interface Peer {
  readonly process: AppProcess;
  readonly browser: HttpBrowser;
  readonly isSilent: boolean;
  readonly isStalled: boolean;
  readonly heard: () => void;
  readonly over: () => void;
}

async function connect(
  { process, browser, isSilent, isStalled, heard, over }: Peer,
): Promise<Disposable> {
  if (isSilent) {
    const { origin } = process;
    const peer = await SilentPeer.connect(origin + ROOM, { cookie: browser.cookieHeader, origin });
    peer.onText = heard;
    peer.onClose = over;
    if (isStalled) peer.stall();
    return peer;
  }
  const client: WsClient = await process.open(ROOM, browser);
  client.socket.on("message", heard);
  client.socket.on("close", over);
  return client;
}

/** Ends the first user's session through one of the processes. */
async function revoke(stage: Stage, at: number): Promise<void> {
  const { origin } = stage.processes[at]!;
  const response = await fetch(`${origin}/auth/signout`, {
    method: "POST",
    redirect: "manual",
    headers: { cookie: stage.people[0]!.cookieHeader, origin },
  });
  await response.body?.cancel();
  assert.equal(response.status, 303);
  stage.revoked();
}

/** Returns the number of open sockets of each process. */
function countOpen({ processes }: Stage): Promise<number[]> {
  return Promise.all(processes.map(async ({ origin }) => {
    const metrics = await (await fetch(`${origin}/metrics`)).text();
    return Number(/^sluice_sockets_open (\d+)$/m.exec(metrics)?.[1]);
  }));
}

/** Sends messages to all sockets every few milliseconds, for some time. */
async function talkFor(stage: Stage, ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until) {
    stage.talk();
    await pause(50);
  }
}

/** Signs the first user out during messages, and checks which sockets receive later messages. */
async function assertEndsAtOnce(stage: Stage): Promise<void> {
  await talkFor(stage, 300);
  await revoke(stage, 0);
  await talkFor(stage, 2_500);
  // Only the server knows what stalled peers were sent.
  assert.deepEqual(await countOpen(stage), [69, 69, 69]);
  const reading = stage.watched.filter(({ isStalled }) => !isStalled);
  const mine = reading.filter(({ user }) => user === 0);
  const others = reading.filter(({ user }) => user !== 0);
  assert.equal(stage.watched.filter(({ user }) => user === 0).length, 102);
  const latest = Math.max(...mine.map(({ lastMs }) => lastMs));
  assert.ok(latest < 1_000, `one heard something ${latest} ms after the sign-out`);
  assert.ok(mine.every(({ isOver }) => isOver), "every socket of the session is over");
  assert.ok(others.every(({ isOver }) => !isOver), "no socket of another session is over");
  assert.ok(others.every(({ lastMs }) => lastMs > 2_000), "the others hear everything");
}

test("with 300 sockets on 3 processes, a sign-out closes all sockets of its session within 1 s, and no others", async () => {
  await using stage = await setStage(34);
  await assertEndsAtOnce(stage);
});

test("a process that was suspended during a sign-out sends nothing to the ended session afterwards", async () => {
  await using stage = await setStage(10);
  await talkFor(stage, 300);
  const sleeper = stage.processes[2]!;
  suspend(sleeper.pid);
  await revoke(stage, 0);
  // Data sent meanwhile waits in the kernel, and is read first.
  await talkFor(stage, 4_000);
  sleeper.signal("SIGCONT");
  await talkFor(stage, 1_500);
  assert.deepEqual(await countOpen(stage), [21, 21, 21]);
  const reading = stage.watched.filter(({ isStalled }) => !isStalled);
  const mine = reading.filter(({ user }) => user === 0);
  const late = mine.filter(({ lastMs }) => lastMs >= 1_000);
  assert.equal(late.length, 0, `${late.length} heard something after 1 s: ${late[0]?.lastMs} ms`);
  assert.ok(mine.every(({ isOver }) => isOver));
  const others = reading.filter(({ user }) => user !== 0);
  assert.ok(others.every(({ isOver, lastMs }) => !isOver && lastMs > 5_000));
});

const noRedis = whyNoRedis() ?? false;

test(
  "with 300 sockets on 3 processes and Redis, a sign-out closes all sockets of its session within 1 s",
  {
    skip: noRedis,
  },
  async () => {
    await using redis = await RedisServer.start();
    await using stage = await setStage(34, { CHANNEL_LAYER: redis.url });
    await assertEndsAtOnce(stage);
  },
);

test("a sign-out closes all sockets of its session within 1 s even if Redis is killed", {
  skip: noRedis,
}, async () => {
  await using redis = await RedisServer.start();
  await using stage = await setStage(34, { CHANNEL_LAYER: redis.url });
  await talkFor(stage, 300);
  await redis.kill();
  await revoke(stage, 0);
  const since = performance.now();
  while (
    stage.watched.some(({ user, isStalled, isOver }) => user === 0 && !isStalled && !isOver)
  ) {
    assert.ok(performance.now() - since < 1_000, "a socket of the session is open after 1 s");
    await pause(20);
  }
  await talkFor(stage, 500);
  assert.deepEqual(await countOpen(stage), [69, 69, 69]);
  const mine = stage.watched.filter(({ user, isStalled }) => user === 0 && !isStalled);
  assert.ok(mine.every(({ lastMs }) => lastMs < 1_000));
  assert.ok(stage.watched.every(({ user, isOver }) => user === 0 || !isOver));
});

for (const layer of ["kv:", "redis://127.0.0.1:1"]) {
  const state = layer === "kv:" ? "" : " that is down";
  test(`a sign-out ends sockets on another process within 1 s with the layer ${layer}${state}`, async () => {
    const directory = await Deno.makeTempDir();
    const env = { DENO_KV_PATH: join(directory, "kv.sqlite3"), CHANNEL_LAYER: layer };
    await using here = await AppProcess.start(env);
    await using there = await AppProcess.start(env);
    const [ada, grace] = [await here.signIn("ada"), await here.signIn("grace")];
    const sockets = await Promise.all([1, 2, 3].map(() => there.open("/ws/echo", ada)));
    using kept = await there.open("/ws/echo", grace);
    await ada.request("/auth/signout", { method: "POST", headers: { origin: here.origin } });
    const since = performance.now();
    for (const socket of sockets) assert.equal((await socket.closed).code, 4401);
    assert.ok(performance.now() - since < 1_000);
    kept.send("still here");
    assert.equal((await kept.next()).text, "still here");
    await Deno.remove(directory, { recursive: true });
  });
}
