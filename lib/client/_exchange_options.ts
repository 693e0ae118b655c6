import type { ClientEnvironment } from "./environment.ts";
import type { StreamStart } from "./stream_options.ts";

/** Options of `Exchange`. */
export interface ExchangeOptions {
  readonly environment: ClientEnvironment;
  readonly maxQueued: number | undefined;
  /** The user for whom messages are queued, if known. */
  readonly user: string | undefined;
  /** Where streams begin. */
  readonly streams: Readonly<Record<string, StreamStart>> | undefined;
}
