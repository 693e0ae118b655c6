import { systemClock } from "@sluice/sluice/server";
import { ServingProcess } from "./child_process.ts";
import type { Figures, Metric } from "./metrics.ts";
import { ProcessPool } from "./process_pool.ts";
import { Question } from "../http/question.ts";
import { checkStart } from "./serve.ts";
import type { Services } from "../services.ts";
import { SettingError, type Settings } from "../settings/settings.ts";

/** How long a process may take to report its metrics, in milliseconds. */
const SAMPLE_MS = 1_000;

/**
 * Serves with several processes on one port until it is stopped; restarts processes that end.
 *
 * A signal is passed on to all processes, and each drains on its own; a second signal ends them at
 * once. They also stop when this process is killed. SIGHUP replaces them, one after the other, by
 * new ones that run the current code on disk.
 *
 * @returns The exit status: 0 if all processes stopped cleanly, else that of one that did not.
 *
 * @throws {SettingError} A setting is wrong, or does not work with several processes.
 */
export async function serveProcesses(count: number, services: Services): Promise<number> {
  const { settings, log } = services;
  assertShared(settings);
  await checkStart(services, { reusePort: true });
  await services.close();
  const pool = createPool(count, { drainMs: settings.drainMs, log, clock: systemClock });
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => pool.stop(signal));
  }
  Deno.addSignalListener("SIGHUP", () => pool.replace());
  // Signal listeners and the pool's timers do not keep the process alive.
  const awake = setInterval(() => {}, 60_000);
  return await pool.run().finally(() => clearInterval(awake));
}

function createPool(
  count: number,
  options: Omit<ConstructorParameters<typeof ProcessPool>[0], "count" | "start">,
): ProcessPool<ServingProcess> {
  const figures = new WeakMap<ServingProcess, Question<readonly Metric[]>>();
  const pool: ProcessPool<ServingProcess> = new ProcessPool({
    ...options,
    count,
    start() {
      const child: ServingProcess = new ServingProcess((message) => {
        if (message.type === "sampled") figures.get(child)?.answer(message.metrics);
        if (message.type === "collect") {
          void collect().then((all) => child.send(all)).catch(() => {});
        }
      });
      figures.set(child, new Question(() => child.send({ type: "sample" }), SAMPLE_MS));
      return child;
    },
  });

  async function collect() {
    const asked = pool.listening.map(async (child): Promise<Figures> => (
      { pid: child.pid, metrics: await figures.get(child)?.ask() }
    ));
    const missing = pool.missing.map((pid): Figures => ({ pid, metrics: undefined }));
    return { type: "collected", processes: [...await Promise.all(asked), ...missing] } as const;
  }

  return pool;
}

function assertShared({ channelLayer, databaseUrl, kvPath, port }: Settings): void {
  if (channelLayer === "memory:") {
    throw new SettingError(
      "CHANNEL_LAYER",
      'is "memory:", which is for one process, but several accept kv: or redis://…',
    );
  }
  if (databaseUrl === "sqlite::memory:") {
    throw new SettingError(
      "DATABASE_URL",
      'is "sqlite::memory:", but several processes need a file',
    );
  }
  if (databaseUrl === undefined && kvPath === ":memory:") {
    throw new SettingError("DENO_KV_PATH", 'is ":memory:", but several processes need a file');
  }
  if (port === 0) {
    throw new SettingError("PORT", 'is "0", but several processes need a port to share');
  }
}
