import type { Log } from "../scope.ts";
import type { Worker } from "./worker.ts";

/** Options of {@linkcode runWorker}. */
export interface RunWorkerOptions {
  readonly log: Log;
  /** How long messages under way may take when it is told to stop, in milliseconds. @default {10_000} */
  readonly graceMs?: number;
  /** Lets go of the layer and what else there is, after the last message. */
  readonly close?: () => Promise<void>;
}

/**
 * Runs a worker until the process is told to stop by SIGTERM or SIGINT, and ends the process with
 * status 0. A second signal ends it at once, with status 130.
 *
 * @throws {TypeError} Nothing serves one of the channels.
 */
export async function runWorker(
  worker: Worker,
  channels: readonly string[],
  options: RunWorkerOptions,
): Promise<never> {
  const { log, graceMs } = options;
  const awake = setInterval(() => {}, 60_000); // Timers and signals alone keep no process alive.
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
