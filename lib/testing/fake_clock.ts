import type { Clock } from "../scope.ts";

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until a test moves it. {@linkcode FakeClock.advance} moves the wall clock
 * and the elapsed time together, {@linkcode FakeClock.setBack} the wall clock alone.
 *
 * @example
 * ```ts
 * import { FakeClock } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * const clock = new FakeClock();
 * const rung: number[] = [];
 * clock.after(1000, () => rung.push(clock.now()));
 * await clock.advance(999);
 * assert.deepEqual(rung, []);
 * await clock.advance(1);
 * assert.equal(rung.length, 1);
 * ```
 */
export class FakeClock implements Clock {
  /** What the wall clock showed when no time had elapsed. */
  #origin: number;
  #elapsed = 0;
  readonly #timers = new Set<Timer>();

  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#origin = now;
  }

  /** Timers that are waiting. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#origin + this.#elapsed;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#elapsed + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Sets the wall clock back by `ms` milliseconds; forward if `ms` is negative. No time elapses. */
  setBack(ms: number): void {
    this.#origin -= ms;
  }

  /** Lets `ms` milliseconds elapse and calls nothing: a process that was stopped. */
  pause(ms: number): void {
    this.#elapsed += ms;
  }

  /**
   * Moves the time on by `ms` milliseconds, calls what becomes due in its order, and lets promises
   * settle after each.
   */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsed + ms;
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#timers.delete(next);
      this.#elapsed = Math.max(this.#elapsed, next.at);
      next.callback();
      await settle();
    }
    this.#elapsed = Math.max(this.#elapsed, until);
    await settle();
  }

  /** Returns the timer that is due first until then, of several the one that was made first. */
  #next(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= until && (next === undefined || timer.at < next.at)) next = timer;
    }
    return next;
  }
}

/** Lets everything happen that waits for nothing but promises, and one turn of the event loop. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
