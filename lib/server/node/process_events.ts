import process from "node:process";
import type { Log } from "../../core/log.ts";
import type { ServeOptions } from "../serve_options.ts";

/** What a signal does. */
export interface StopSteps {
  /** Stops the server; later calls wait for the first. */
  stop(): Promise<void>;
  /** Called first if other processes share the port. */
  stopListening(): unknown;
}

/**
 * Stops and exits on SIGTERM, SIGINT and the signal of the options, and logs uncaught errors. Returns a
 * function that restores the defaults. For Node and Bun.
 */
export function handleProcessEvents(
  steps: StopSteps,
  options: ServeOptions,
  log: Log,
): () => void {
  let isSignalled = false;
  const exit = (why: string) => {
    log.info("Stopping", { signal: why });
    void steps.stop().finally(() => process.exit(0)).catch(() => {});
  };
  const onSignal = (signal: string) => {
    if (isSignalled) process.exit(130);
    isSignalled = true;
    if (options.reusePort) steps.stopListening();
    exit(signal);
  };
  const onAbort = () => exit(String(options.signal?.reason));
  const uncaught = (error: unknown) => log.error("Uncaught error", { error });
  const rejected = (error: unknown) => log.error("Unhandled promise rejection", { error });
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  process.on("uncaughtException", uncaught).on("unhandledRejection", rejected);
  options.signal?.addEventListener("abort", onAbort);
  return () => {
    process.off("SIGTERM", onSignal).off("SIGINT", onSignal);
    process.off("uncaughtException", uncaught).off("unhandledRejection", rejected);
    options.signal?.removeEventListener("abort", onAbort);
  };
}
