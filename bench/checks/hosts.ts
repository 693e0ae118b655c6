/**
 * Three processes on two hosts that share only PostgreSQL and Redis: what holds, and how fast.
 *
 * - 8 connections at once present each of 1,000 tickets: exactly 1,000 upgrades.
 * - The time from the answer to a sign-out to the end of its last socket: as usual, with PostgreSQL
 *   killed right after the answer, and with the second host cut off from PostgreSQL before, by an
 *   error or by a silent network.
 * - A sign-out while PostgreSQL is killed at a random moment: afterwards the session and all its
 *   sockets have ended, or all of them stay open; never after an answer of 204.
 * - The time from the start of a killed PostgreSQL to the first message that is stored again.
 * - A failover: a standby is promoted, and the names of PostgreSQL move to it.
 * - A lock of 10 s on all rows: requests are answered in time, and work again afterwards.
 *
 * `deno task bench hosts [--quick]`; requires `deno task build`. Exits with status 1 if a limit is
 * exceeded.
 *
 * @module
 */
import { AppProcess } from "../../tests/support/app/app_process.ts";
import { Hosts } from "../../tests/support/app/hosts.ts";
import { PostgresServer } from "../../tests/support/postgres/postgres_server.ts";
import { raceTickets } from "../../tests/support/app/race_tickets.ts";
import type { WsClient } from "../../tests/support/app/ws_client.ts";

const isQuick = Deno.args.includes("--quick");
const TICKETS = isQuick ? 40 : 1_000;
const SOCKETS_PER_PROCESS = isQuick ? 5 : 100;
const ROUNDS = isQuick ? 1 : 10;
const LOCK_MS = isQuick ? 2_000 : 10_000;
const PLENTY = "1000000";

await using hosts = await Hosts.start({
  SOCKETS_PER_USER: PLENTY,
  SOCKETS_PER_ADDRESS: PLENTY,
  HANDSHAKES_PER_ADDRESS: PLENTY,
  SIGN_INS_PER_ADDRESS: PLENTY,
  SESSIONS_PER_USER: "1000",
});
const [first] = hosts.processes as [AppProcess];

await tickets();
await signOuts("sign-out", {});
await signOuts("sign-out, PostgreSQL killed after the answer", {
  after: () => hosts.postgres.kill(),
});
await signOuts("sign-out, second host cut off from PostgreSQL", {
  before: () => hosts.paths[1].cut(),
});
await signOuts("sign-out, second host's network to PostgreSQL silent", {
  before: () => hosts.paths[1].silence(),
});
await killedMeanwhile();
await recovery();
await lock();
await failover();

async function tickets(): Promise<void> {
  const since = performance.now();
  const results = await raceTickets(hosts, await hosts.signIn("ada"), { tickets: TICKETS });
  const seconds = (performance.now() - since) / 1000;
  const counts = [...results].map(([result, count]) => `${result} ${count}`).join(", ");
  report(`${TICKETS} tickets, 8 connections each, ${seconds.toFixed(1)} s: ${counts}`, {
    holds: results.get("upgraded") === TICKETS,
  });
}

/** Measures from the answer to a sign-out until the last of its sockets has ended. */
async function signOuts(
  what: string,
  fault: { readonly before?: () => void; readonly after?: () => void | Promise<void> },
): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const ada = await hosts.signIn("ada");
    const sockets = await enter(ada);
    fault.before?.();
    const status = await hosts.signOut(ada, first);
    const since = performance.now();
    await fault.after?.();
    if (status !== 204) throw new Error(`The sign-out was answered with ${status}`);
    await Promise.all(sockets.map(({ closed }) => closed));
    times.push(performance.now() - since);
    await repair();
  }
  const worst = Math.max(...times);
  const sockets = SOCKETS_PER_PROCESS * hosts.processes.length;
  report(`${what}: all ${sockets} sockets ended after ${ms(...times)}`, { holds: worst <= 1_000 });
}

async function enter(browser: Awaited<ReturnType<Hosts["signIn"]>>): Promise<WsClient[]> {
  const sockets: WsClient[] = [];
  for (let turn = 0; turn < SOCKETS_PER_PROCESS; turn++) {
    const opened = hosts.processes.map((process) => hosts.open(process, "/ws/echo", { browser }));
    sockets.push(...await Promise.all(opened));
  }
  return sockets;
}

/** Kills PostgreSQL at a random moment of a sign-out, and compares the session with its sockets. */
async function killedMeanwhile(): Promise<void> {
  const counts = { "204, ended": 0, "503, ended": 0, "503, goes on": 0 };
  let isHalf = false;
  for (let round = 0; round < ROUNDS * 3; round++) {
    const ada = await hosts.signIn("ada");
    const sockets = await hosts.enterEverywhere(ada, "half");
    const signingOut = hosts.signOut(ada, first);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 12));
    await hosts.postgres.kill();
    const status = await signingOut;
    await repair();
    const hasEnded = await fetch(`${first.origin}/api/me`, {
      headers: { cookie: ada.cookieHeader },
    }).then(async ({ status, body }) => (await body?.cancel(), status === 401));
    const key = `${status}, ${hasEnded ? "ended" : "goes on"}`;
    if (!(key in counts)) isHalf = true;
    else counts[key as keyof typeof counts]++;
    if (hasEnded) {
      for (const { closed } of sockets) if ((await closed).code !== 4401) isHalf = true;
    } else {
      await Promise.all(sockets.map((socket) => untilSaid(socket, true)));
      for (const socket of sockets) socket.socket.terminate();
    }
  }
  const seen = Object.entries(counts).map(([what, count]) => `${what} ${count}`).join("; ");
  report(`PostgreSQL killed during ${ROUNDS * 3} sign-outs: ${seen}`, { holds: !isHalf });
}

/** Measures from the start of a killed PostgreSQL to the first stored message at each process. */
async function recovery(): Promise<void> {
  const grace = await hosts.signIn("grace");
  const sockets = await hosts.enterEverywhere(grace, "recovery");
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await hosts.postgres.kill();
    await untilSaid(sockets[0]!, false);
    await hosts.postgres.restart(); // Resolves when it answers a query.
    const since = performance.now();
    await Promise.all(sockets.map((socket) => untilSaid(socket, true)));
    times.push(performance.now() - since);
  }
  for (const socket of sockets) socket.socket.terminate();
  const holds = Math.max(...times) <= 5_000;
  report(`PostgreSQL killed and started again: messages are stored after ${ms(...times)}`, {
    holds,
  });
}

/** Holds a lock on the table, which every read and write waits for. */
async function lock(): Promise<void> {
  const linus = await hosts.signIn("linus");
  using socket = await hosts.open(first, "/ws/chat/lock", { browser: linus });
  const locker = await hosts.postgres.connect();
  await locker.query("BEGIN; LOCK TABLE sluice_kv IN ACCESS EXCLUSIVE MODE");
  const until = performance.now() + LOCK_MS;
  const waits: number[] = [];
  while (performance.now() < until) {
    const since = performance.now();
    const isSaid = await say(socket);
    waits.push(performance.now() - since);
    if (isSaid) throw new Error("A message was stored although the table is locked");
  }
  await locker.query("ROLLBACK");
  await locker.end();
  const since = performance.now();
  await untilSaid(socket, true);
  const after = performance.now() - since;
  report(
    `a lock of ${LOCK_MS / 1000} s: refused after ${ms(...waits)}, stored ${
      ms(after)
    } after its end`,
    // 5 s for the commit, and 5 s for the read that tells whether it was made.
    { holds: after <= 5_000 && Math.max(...waits) <= 11_000 },
  );
}

/** Kills the primary, moves its names to a promoted standby, and measures the first message. */
async function failover(): Promise<void> {
  const linus = await hosts.signIn("linus");
  const sockets = await hosts.enterEverywhere(linus, "failover");
  await using standby = await PostgresServer.standbyOf(hosts.postgres);
  await hosts.postgres.query("ALTER SYSTEM SET synchronous_standby_names = '*'");
  await hosts.postgres.query("SELECT pg_reload_conf()");
  const isSynchronous = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'";
  while ((await hosts.postgres.query(isSynchronous)).length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await Promise.all(sockets.map((socket) => untilSaid(socket, true)));
  await hosts.postgres.kill();
  for (const path of hosts.paths) path.move(standby.port);
  await untilSaid(sockets[0]!, false);
  const since = performance.now();
  await standby.promote();
  await Promise.all(sockets.map((socket) => untilSaid(socket, true)));
  const after = performance.now() - since;
  using again = await hosts.open(hosts.processes[2]!, "/ws/echo", { browser: linus });
  again.socket.terminate();
  for (const socket of sockets) socket.socket.terminate();
  report(
    `failover to a synchronous standby: messages are stored ${ms(after)} after its promotion`,
    {
      holds: after <= 5_000,
    },
  );
}

async function untilSaid(socket: WsClient, isSaid: boolean): Promise<void> {
  while (await say(socket) !== isSaid) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Says something, and returns whether it was stored. */
async function say(socket: WsClient): Promise<boolean> {
  const id = crypto.randomUUID();
  socket.sendJson({ type: "say", data: { text: "hello" }, id });
  while (true) {
    const reply = await socket.frame("reply");
    if (reply.id === id) return reply.ok === true;
  }
}

/** Restores what a fault broke, and waits until all processes are ready. */
async function repair(): Promise<void> {
  await hosts.postgres.restart();
  hosts.paths[1].move(hosts.postgres.port);
  for (const { origin } of hosts.processes) {
    while (true) {
      const { ok, body } = await fetch(`${origin}/readyz`);
      await body?.cancel();
      if (ok) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  // Each process reads the control log again by then.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
}

/** Formats times: the median and the longest. */
function ms(...times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const [median, longest] = [sorted[sorted.length >> 1]!, sorted.at(-1)!];
  if (sorted.length === 1) return `${longest.toFixed(0)} ms`;
  return `${median.toFixed(0)} ms (median), ${longest.toFixed(0)} ms (longest of ${sorted.length})`;
}

function report(line: string, { holds }: { readonly holds: boolean }): void {
  console.log(`${holds ? "holds" : "FAILS"}  ${line}`);
  if (!holds) Deno.exitCode = 1;
}
