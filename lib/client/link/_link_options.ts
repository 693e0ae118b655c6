import type { Backoff } from "../backoff.ts";
import type { ClientEnvironment } from "../environment.ts";

/** Options of `Link`. */
export interface LinkOptions extends Backoff {
  readonly environment: ClientEnvironment;
  readonly ticket: (() => Promise<string>) | undefined;
  readonly openTimeoutMs: number;
  readonly stableAfterMs: number;
}
