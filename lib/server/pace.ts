import type { Clock } from "../scope.ts";

/** What is done at an even pace. */
export interface PaceOptions {
  readonly count: number;
  /** The time for all of them, in milliseconds. */
  readonly windowMs: number;
  /** Which part of its share of the window the first one waits, from 0 to 1. */
  readonly phase: number;
  /** Does one of them, from 0 to `count` - 1. */
  end(index: number): void;
}

/** A timer that rings so late is as good as punctual, in milliseconds. */
const PUNCTUAL_MS = 5;

/** What is late is made up for with so much less than the even space between two. */
const HURRY = 0.75;

/**
 * Does something many times, evenly over a window, and not all at once what is late.
 *
 * A process that stood still goes on a third faster until it has caught up. What is left at the end of
 * the window is done then.
 */
export class Pace {
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
      this.#dueAt = Math.max(this.#dueAt, now - PUNCTUAL_MS);
      this.#doUntil(now);
      if (this.#next < this.#options.count) this.#wait();
    });
  }

  #doUntil(time: number): void {
    const { count, phase, end } = this.#options;
    while (this.#next < count && this.#dueAt <= time) {
      end(this.#next++);
      const planned = this.#beganAt + (this.#next + phase) * this.#step;
      this.#dueAt = Math.max(planned, this.#dueAt + HURRY * this.#step);
    }
  }
}
