import type { Clock } from "../../core/clock.ts";

/** Smaller differences are ignored, in milliseconds: reading the server's time takes some, too. */
const TOLERANCE_MS = 1_000;

/** An answer that took longer is not used, in milliseconds. */
const MAX_ANSWER_MS = 1_000;

/** The server's time, and a statement that returns it as `now`, in milliseconds since the epoch. */
export const SERVER_TIME = "extract(epoch FROM clock_timestamp()) * 1000 AS now";

/**
 * The clock of the server, as this process estimates it, so that the processes of several machines
 * agree about times. It is the clock of the machine until the first connection, and if both differ by
 * less than a second.
 */
export class ServerClock implements Clock {
  readonly #clock: Clock;
  #aheadMs = 0;

  /** @param clock The clock of the machine. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now() + this.#aheadMs;
  }

  elapsed(): number {
    return this.#clock.elapsed();
  }

  after(ms: number, callback: () => void): () => void {
    return this.#clock.after(ms, callback);
  }

  /** Takes the server's time from the answer to a question that was asked at `askedAt` (elapsed). */
  observe(now: number, askedAt: number): void {
    const answeredMs = this.#clock.elapsed() - askedAt;
    if (answeredMs > MAX_ANSWER_MS || Number.isNaN(now)) return;
    const aheadMs = Math.round(now + answeredMs / 2 - this.#clock.now());
    if (Math.abs(aheadMs) < TOLERANCE_MS) this.#aheadMs = 0;
    // A small change is an error of the measurement, and no reason to go back in time.
    else if (Math.abs(aheadMs - this.#aheadMs) >= TOLERANCE_MS) this.#aheadMs = aheadMs;
  }
}
