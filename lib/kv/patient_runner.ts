import { setTimeout } from "node:timers/promises";
import { type Clock, systemClock } from "../core/clock.ts";
import { within } from "../core/within.ts";
import { KeyValueError } from "./key_value_error.ts";
import { retryPauseMs } from "../time/retry_pause.ts";

/** Options of a {@linkcode PatientRunner}. */
export interface PatientRunnerOptions {
  /** Limit for one use, in milliseconds, retries included. @default {5_000} */
  readonly timeoutMs?: number | undefined;
  /** Measures the limit. @default {systemClock} */
  readonly clock?: Clock | undefined;
  /** Waits between two attempts. @default {a timer that keeps the process alive} */
  readonly pause?: ((ms: number) => Promise<void>) | undefined;
}

/** The longest pause between two attempts, in milliseconds. */
const MAX_PAUSE_MS = 256;

/**
 * Uses a database that may be locked by other processes, fail, or hang. While it is locked, the use
 * is repeated after a random pause, which doubles from 4 ms to 256 ms.
 */
export class PatientRunner {
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #pause: (ms: number) => Promise<void>;
  readonly #isRetryable: (error: unknown) => boolean;

  /** @param isRetryable Decides after which errors the use is repeated. */
  constructor(isRetryable: (error: unknown) => boolean, options: PatientRunnerOptions = {}) {
    this.#isRetryable = isRetryable;
    this.#timeoutMs = options.timeoutMs ?? 5_000;
    this.#clock = options.clock ?? systemClock;
    // The clock's timers do not keep the process alive: it could exit in the middle of a write.
    this.#pause = options.pause ?? setTimeout;
  }

  /**
   * Calls `use`, and returns its result.
   *
   * @throws {KeyValueError} `UNAVAILABLE`: `use` failed, did not succeed in time, or was given up.
   */
  async run<T>(use: () => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    const state = { isLate: false, signal };
    try {
      const limit = { clock: this.#clock, ms: this.#timeoutMs, late };
      return await within(this.#retry(use, state), limit);
    } catch (error) {
      if (error instanceof KeyValueError) throw error;
      throw new KeyValueError("UNAVAILABLE", "The database cannot be used", { cause: error });
    } finally {
      state.isLate = true;
    }
  }

  async #retry<T>(
    use: () => T | Promise<T>,
    state: { readonly isLate: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<T> {
    for (let attempt = 1;; attempt++) {
      try {
        return await use();
      } catch (error) {
        if (state.isLate || state.signal?.aborted || !this.#isRetryable(error)) throw error;
        await this.#pause(Math.random() * retryPauseMs(attempt, { minMs: 2, maxMs: MAX_PAUSE_MS }));
        if (state.isLate || state.signal?.aborted) throw error;
      }
    }
  }
}

/** Returns whether SQLite, which Deno KV uses as well, reports a lock of another process. */
export function isLocked(error: unknown): boolean {
  return error instanceof Error && error.message.includes("database is locked");
}

function late(ms: number): KeyValueError {
  return new KeyValueError("UNAVAILABLE", `The database did not answer within ${ms} ms`);
}
