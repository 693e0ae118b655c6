import { setTimeout } from "node:timers/promises";
import type { AtomicOperation } from "./atomic_operation.ts";
import { retryPauseMs } from "../time/retry_pause.ts";

/** Most attempts of a change. */
const MAX_ATTEMPTS = 50;

/** The longest pause between two attempts, in milliseconds. */
const MAX_PAUSE_MS = 64;

/** A planned change and its result. */
export interface PlannedChange<T> {
  /** Returned once the operation is committed. */
  readonly result: T;
  /** The operation; undefined if nothing is to be written. */
  readonly operation?: AtomicOperation | undefined;
}

/**
 * Reads, plans and commits a change, and plans it again after each conflict with another write.
 * Between two attempts it waits for a random time.
 *
 * @throws {Error} 50 attempts conflicted with other writes.
 */
export async function retryConflicts<T>(
  action: string,
  plan: () => Promise<PlannedChange<T>>,
): Promise<T> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const { result, operation } = await plan();
    if (operation === undefined || (await operation.commit()).ok) return result;
    await setTimeout(Math.random() * retryPauseMs(attempt, { minMs: 1, maxMs: MAX_PAUSE_MS }));
  }
  throw new Error(`Cannot ${action}: ${MAX_ATTEMPTS} attempts conflicted with other writes`);
}
