import { test } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { RedisServer, whyNoRedis } from "../support/redis/redis_server.ts";
import {
  handled,
  report,
  sendJobs,
  WorkerProcess,
  type WorkerSettings,
} from "../support/jobs/job_load.ts";
import { makeLayer } from "../support/jobs/worker_process.ts";

const LIMIT_MS = 20_000;

async function withStore(
  driver: "kv" | "redis",
  body: (settings: WorkerSettings) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-workers-"));
  await using server = driver === "redis" ? await RedisServer.start() : undefined;
  const address = server?.url ?? join(folder, "kv.sqlite3");
  try {
    await body({ address, prefix: "jobs", leaseMs: 2_000, handlerMs: 50 });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

for (const driver of ["kv", "redis"] as const) {
  const skip = driver === "redis" ? whyNoRedis() ?? false : false;
  const options = { skip, timeout: 60_000 };

  test(
    `Worker over ${driver} cannot acknowledge after its lease, and takes over the job of a killed worker`,
    options,
    () =>
      withStore(driver, async (settings) => {
        const layer = makeLayer(settings.address, settings);
        const stopped = new WorkerProcess({ ...settings, handlerMs: 1_000 });
        await sendJobs(layer, 1, 1);
        await eventually(() => assert.deepEqual(stopped.begun, [0]), LIMIT_MS);
        stopped.signal("SIGSTOP");
        const killed = new WorkerProcess({ ...settings, handlerMs: 600_000 });
        await eventually(() => assert.deepEqual(killed.begun, [0]), LIMIT_MS);
        stopped.signal("SIGCONT");
        await eventually(() => assert.deepEqual(stopped.done, [0]), LIMIT_MS);
        // By the time it has ended, it has tried to acknowledge.
        stopped.signal("SIGTERM");
        await stopped.ended();
        killed.signal("SIGKILL");
        await killed.ended();
        const next = new WorkerProcess(settings);
        await eventually(() => assert.deepEqual(next.done, [0]), LIMIT_MS);
        const { left, dead } = await report(layer, [stopped, killed, next], 1);
        assert.deepEqual([left, dead], [0, 0]);
        await layer.close();
      }),
  );

  test(
    `Worker over ${driver} loses no job while processes stop, are killed and start`,
    options,
    () =>
      withStore(driver, async (settings) => {
        const layer = makeLayer(settings.address, settings);
        const all = [new WorkerProcess(settings), new WorkerProcess(settings)];
        const sending = sendJobs(layer, 150, 60);
        for (const signal of ["SIGKILL", "SIGTERM"] as const) {
          const worker = all.at(-2)!;
          await eventually(() => assert.ok(worker.done.length > 5), LIMIT_MS);
          worker.signal(signal);
          all.push(new WorkerProcess(settings));
          await setTimeout(200);
        }
        await sending;
        await handled(all, 150, LIMIT_MS);
        const { missing, left, dead } = await report(layer, all, 150);
        assert.deepEqual({ missing, dead }, { missing: [], dead: 0 });
        // The killed worker, with up to 10 jobs at once, may have handled some without an acknowledgement.
        assert.ok(left <= 10, `${left} jobs were not acknowledged`);
        await layer.close();
      }),
  );
}
