import { type Backoff, clampMs } from "../backoff.ts";
import type { ConnectOptions } from "../connect_options.ts";
import type { ClientEnvironment } from "../environment.ts";

/** Options of `Link`. */
export interface LinkOptions extends Backoff {
  readonly environment: ClientEnvironment;
  readonly ticket: (() => Promise<string>) | undefined;
  readonly openTimeoutMs: number;
  readonly stableAfterMs: number;
}

/** Fills in the defaults, and clamps each time to its range. */
export function toLinkOptions(
  environment: ClientEnvironment,
  options: ConnectOptions,
): LinkOptions {
  return {
    environment,
    ticket: options.ticket,
    baseDelayMs: clampMs(options.baseDelayMs, 500, 100),
    maxDelayMs: clampMs(options.maxDelayMs, 20_000, 1_000),
    openTimeoutMs: clampMs(options.openTimeoutMs, 15_000, 100),
    stableAfterMs: clampMs(options.stableAfterMs, 10_000, 1_000),
    random: environment.random,
  };
}
