import type { Clock } from "../core/clock.ts";

/** Options of {@linkcode PacedRunner}. */
export interface PaceOptions {
  readonly count: number;
  /** Duration of the whole run, in milliseconds. */
  readonly windowMs: number;
  /** Delay of the first call, as a fraction from 0 to 1 of one interval. */
  readonly phase: number;
  /** Handles one item, from 0 to `count` - 1. */
  end(index: number): void;
}

/** A timer that fires this late counts as punctual, in milliseconds. */
const TOLERANCE_MS = 5;

/** Interval between late calls, as a fraction of the normal interval. */
const CATCH_UP_STEP = 0.75;

/**
 * Runs a callback many times, evenly spread over a window, without a burst for late calls.
 *
 * After a pause of the process it runs a third faster until it has caught up. At the end of the window
 * all remaining calls are made.
 */
export class PacedRunner {
  readonly #clock: Clock;
  readonly #options: PaceOptions;
  readonly #step: number;
  readonly #beganAt: number;
  #next = 0;
  #dueAt: number;

  constructor(clock: Clock, options: PaceOptions) {
    const { count, windowMs, phase } = options;
    this.#clock = clock;
    this.#options = options;
    this.#step = windowMs / count;
    this.#beganAt = clock.elapsed();
    this.#dueAt = this.#beganAt + phase * this.#step;
  }

  start(): void {
    const { windowMs } = this.#options;
    this.#clock.after(windowMs, () => this.#doUntil(Infinity));
    this.#wait();
  }

  #wait(): void {
    const waitMs = Math.max(0, this.#dueAt - this.#clock.elapsed());
    this.#clock.after(waitMs, () => {
      const now = this.#clock.elapsed();
      this.#dueAt = Math.max(this.#dueAt, now - TOLERANCE_MS);
      this.#doUntil(now);
      if (this.#next < this.#options.count) this.#wait();
    });
  }

  #doUntil(time: number): void {
    const { count, phase, end } = this.#options;
    while (this.#next < count && this.#dueAt <= time) {
      end(this.#next++);
      const planned = this.#beganAt + (this.#next + phase) * this.#step;
      this.#dueAt = Math.max(planned, this.#dueAt + CATCH_UP_STEP * this.#step);
    }
  }
}
