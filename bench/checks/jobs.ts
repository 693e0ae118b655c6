/**
 * Are jobs lost during a Redis outage, or while workers stop, crash and start?
 *
 * - `outage`: 400 jobs at 40 a second, two worker processes. Redis writes each change to disk
 *   (`appendfsync always`). Halfway through it is killed for 1.5 s or 10 s, or suspended for 10 s. The
 *   three kinds run at the same time, 20 runs each.
 * - `workers`: 1,000 jobs at 50 a second, four worker processes. Every second one process is stopped or
 *   killed (`kill -9`), in turn, and a new one starts.
 *
 * `sent again` counts jobs that the sender repeated after `UNAVAILABLE`, which may be in the channel
 * twice.
 *
 * `deno task bench jobs [outage|workers] [runs] [redis|kv]`. Exits with 1 if a job is missing.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { RedisServer } from "../../tests/support/redis/redis_server.ts";
import {
  handled,
  type JobReport,
  report,
  sendJobs,
  WorkerProcess,
  type WorkerSettings,
} from "../../tests/support/jobs/job_load.ts";
import { makeLayer } from "../../tests/support/jobs/worker_process.ts";

interface Outcome extends JobReport {
  readonly sentAgain: number;
}

type Outage = "killed for 1.5 s" | "killed for 10 s" | "stopped for 10 s";

const OUTAGES: readonly Outage[] = ["killed for 1.5 s", "killed for 10 s", "stopped for 10 s"];
const DURABLE = ["--appendonly", "yes", "--appendfsync", "always"];
const LIMIT_MS = 120_000;

const [what = "outage", runsText = "20", driver = "redis"] = Deno.args;
const runs = Number(runsText);
let missing = 0;

console.log(
  "| what | run | missing | sent again | begun twice | handled twice | left | dead letters | s |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
for (let run = 1; run <= runs; run++) {
  if (what === "workers") await print(`workers, ${driver}`, run, disturbWorkers(driver));
  else await Promise.all(OUTAGES.map((outage) => print(outage, run, disturbRedis(outage))));
}
Deno.exit(missing === 0 ? 0 : 1);

async function print(what: string, run: number, work: Promise<Outcome>): Promise<void> {
  const startedAt = performance.now();
  const { missing: lost, sentAgain, begunTwice, twice, left, dead } = await work;
  missing += lost.length;
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  const cells = [what, run, lost.length, sentAgain, begunTwice, twice, left, dead, seconds];
  console.log(`| ${cells.join(" | ")} |`);
}

async function disturbRedis(outage: Outage): Promise<Outcome> {
  await using server = await RedisServer.start(DURABLE);
  const settings = { address: server.url, prefix: "jobs", leaseMs: 30_000, handlerMs: 100 };
  const layer = makeLayer(settings.address, settings);
  const workers = [new WorkerProcess(settings), new WorkerProcess(settings)];
  const sending = sendJobs(layer, 400, 40);
  await setTimeout(3_000);
  await away(server, outage);
  const sentAgain = await sending;
  await handled(workers, 400, LIMIT_MS);
  const result = { ...await report(layer, workers, 400), sentAgain };
  await layer.close();
  return result;
}

async function away(server: RedisServer, outage: Outage): Promise<void> {
  const ms = outage === "killed for 1.5 s" ? 1_500 : 10_000;
  if (outage === "stopped for 10 s") {
    server.pause();
    await setTimeout(ms);
    return server.resume();
  }
  await server.kill();
  await setTimeout(ms);
  await server.restart();
}

async function disturbWorkers(driver: string): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-jobs-"));
  await using server = driver === "redis" ? await RedisServer.start() : undefined;
  const address = server?.url ?? join(folder, "kv.sqlite3");
  const settings: WorkerSettings = { address, prefix: "jobs", leaseMs: 5_000, handlerMs: 50 };
  const layer = makeLayer(address, settings);
  const all = Array.from({ length: 4 }, () => new WorkerProcess(settings));
  const alive = [...all];
  let isOver = false;
  const disturbing = (async () => {
    for (let turn = 0; !isOver; turn++) {
      await setTimeout(1_000);
      alive.shift()!.signal(turn % 2 === 0 ? "SIGKILL" : "SIGTERM");
      const worker = new WorkerProcess(settings);
      alive.push(worker);
      all.push(worker);
    }
  })();
  const sentAgain = await sendJobs(layer, 1_000, 50);
  await handled(all, 1_000, LIMIT_MS);
  isOver = true;
  await disturbing;
  const result = { ...await report(layer, all, 1_000), sentAgain };
  await layer.close();
  await rm(folder, { recursive: true, force: true });
  return result;
}
