import { consoleLog } from "../../core/log.ts";
import type { Log } from "../../core/log.ts";
import type { Worker } from "../worker.ts";

/**
 * Runs a worker until the process gets SIGTERM or SIGINT, then exits with status 0. A second signal
 * exits at once with status 130.
 *
 * @throws {TypeError} A channel has no worker.
 *
 * @example
 * ```ts
 * import { MemoryChannelLayer } from "@sluice/sluice";
 * import { channelRouter } from "@sluice/sluice/routing";
 * import { runWorker, Worker } from "@sluice/sluice/workers";
 * import assert from "node:assert/strict";
 *
 * const layer = new MemoryChannelLayer();
 * const worker = new Worker(channelRouter({}), { layer });
 * await assert.rejects(runWorker(worker, ["unknown"]), TypeError);
 * ```
 */
export async function runWorker(
  worker: Worker,
  channels: readonly string[],
  options: {
    /** Receives the start and the stop. @default {consoleLog} */
    readonly log?: Log;
    /** How long running handlers may take after a stop signal, in milliseconds. @default {10_000} */
    readonly graceMs?: number;
    /** Releases the layer and other resources after the last message. */
    readonly close?: () => Promise<void>;
  } = {},
): Promise<never> {
  const { log = consoleLog, graceMs } = options;
  const awake = setInterval(() => {}, 60_000); // The clock's timers do not keep the process alive.
  let isStopping = false;
  const stop = (signal: string) => {
    if (isStopping) Deno.exit(130);
    isStopping = true;
    log.info("Stopping", { signal, ...worker.stats });
    void worker.stop(graceMs).then(() => options.close?.()).finally(() => Deno.exit(0)).catch(
      () => {},
    );
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => stop(signal));
  }
  const running = worker.run(channels).catch((error) => {
    clearInterval(awake);
    throw error;
  });
  log.info("Working", { channels });
  await running;
  return await new Promise<never>(() => {});
}
