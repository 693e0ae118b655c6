import type { Clock } from "../core/clock.ts";

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/**
 * A clock that only moves when a test advances it. {@linkcode FakeClock.advance} moves the wall clock
 * and the elapsed time together, {@linkcode FakeClock.setBack} only the wall clock.
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
  /** Time of the wall clock at an elapsed time of 0. */
  #origin: number;
  #elapsed = 0;
  readonly #timers = new Set<Timer>();

  /** Creates a clock that stands still. */
  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#origin = now;
  }

  /** Number of pending timers. */
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

  /** Sets the wall clock back by `ms` milliseconds, or forward if `ms` is negative. No time elapses. */
  setBack(ms: number): void {
    this.#origin -= ms;
  }

  /** Lets `ms` milliseconds elapse without calling timers, like a suspended process. */
  pause(ms: number): void {
    this.#elapsed += ms;
  }

  /**
   * Lets pending promises settle, advances the time by `ms` milliseconds, calls the timers that become
   * due in order, and lets promises settle after each.
   */
  async advance(ms: number): Promise<void> {
    await settle();
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

  /** Returns the first timer due by then; of several, the one created first. */
  #next(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= until && (next === undefined || timer.at < next.at)) next = timer;
    }
    return next;
  }
}

/**
 * Lets pending promises settle, for one turn of the event loop.
 *
 * @example
 * ```ts
 * import { settle } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * let isDone = false;
 * void Promise.resolve().then(() => isDone = true);
 * await settle();
 * assert.equal(isDone, true);
 * ```
 */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
