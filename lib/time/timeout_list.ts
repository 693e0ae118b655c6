import type { Clock } from "../core/clock.ts";

/**
 * Calls back for each item that is still present after a fixed time. One timer serves all items, as
 * nearly all are removed long before; it stops when no item is left.
 *
 * Items expire in the order they were added. A callback may be late by up to a quarter of the time.
 */
export class TimeoutList<T> {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #callback: (item: T) => void;
  readonly #since = new Map<T, number>();
  #isWaiting = false;

  constructor(clock: Clock, ms: number, callback: (item: T) => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#callback = callback;
  }

  /** The remaining items, oldest first. */
  [Symbol.iterator](): Iterator<T> {
    return this.#since.keys();
  }

  add(item: T): void {
    this.#since.set(item, this.#clock.elapsed());
    if (!this.#isWaiting) this.#wait(this.#ms);
  }

  delete(item: T): void {
    this.#since.delete(item);
  }

  #wait(ms: number): void {
    this.#isWaiting = true;
    this.#clock.after(ms, () => this.#check());
  }

  #check(): void {
    const now = this.#clock.elapsed();
    this.#isWaiting = false;
    for (const [item, since] of this.#since) {
      const left = since + this.#ms - now;
      // Waits a minimum time, so that a busy server checks only now and then.
      if (left > 0) return this.#wait(Math.max(left, this.#ms / 4));
      this.#since.delete(item);
      this.#callback(item);
    }
  }
}
