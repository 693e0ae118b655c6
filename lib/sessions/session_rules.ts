import { type Clock, systemClock } from "../core/clock.ts";
import { consoleLog } from "../core/log.ts";
import type { Log } from "../core/log.ts";
import type { ControlLog } from "./revocation/control_log.ts";
import type { SessionLifetime } from "./session.ts";

const HOUR_MS = 3_600_000;

/** How long an expired session is remembered, so that its user can be told that it expired. */
export const REMEMBER_MS = 86_400_000;

/**
 * Options of {@linkcode Sessions}.
 *
 * @internal
 */
export interface SessionsOptions {
  /** Idle time after which a session ends, in milliseconds. @default {604_800_000} (7 days) */
  readonly idleTtlMs?: number;
  /**
   * Time after sign-in at which a session ends in any case, in milliseconds. @default
   * {2_592_000_000} (30 days)
   */
  readonly maxTtlMs?: number;
  /** The clock that lifetimes are checked against. @default {systemClock} */
  readonly clock?: Clock;
  /** The log for problems with sessions. @default {consoleLog} */
  readonly log?: Log;
  /** The log of events of all processes that share the database. */
  readonly controlLog?: ControlLog | undefined;
  /** Age at which a secret is replaced, in milliseconds. @default {86_400_000} (24 hours) */
  readonly rotateAfterMs?: number;
  /**
   * Most sessions of one user; a further sign-in ends the least recently used one. Browsers and
   * programs are counted separately. @default {100}
   */
  readonly maxPerUser?: number;
}

/** The options of {@linkcode Sessions}, with their defaults. */
export interface SessionRules {
  readonly lifetime: SessionLifetime;
  readonly renewEveryMs: number;
  readonly rotateAfterMs: number;
  readonly maxPerUser: number;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Returns the options with their defaults.
 *
 * @throws {RangeError} A lifetime is not a positive number of milliseconds.
 */
export function readRules(options: SessionsOptions): SessionRules {
  const { idleTtlMs = 7 * 24 * HOUR_MS, maxTtlMs = 30 * 24 * HOUR_MS } = options;
  if (!(idleTtlMs > 0 && maxTtlMs > 0)) {
    throw new RangeError(`Lifetimes must be positive: idle ${idleTtlMs} ms, max ${maxTtlMs} ms`);
  }
  const { rotateAfterMs = 24 * HOUR_MS, maxPerUser = 100 } = options;
  const { clock = systemClock, log = consoleLog } = options;
  const renewEveryMs = Math.min(HOUR_MS, idleTtlMs / 2);
  const lifetime = { idleTtlMs, maxTtlMs };
  return { lifetime, renewEveryMs, rotateAfterMs, maxPerUser, clock, log };
}
