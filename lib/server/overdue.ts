import type { Clock } from "../scope.ts";

/**
 * Calls back for each item that is still here after a time that is the same for all: with one timer
 * for them, as nearly all leave long before. It runs out by itself where none is left.
 *
 * Items come due in the order in which they were added; their callback may be up to a quarter of the
 * time late.
 */
export class Overdue<T> {
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

  /** The items that are still here, oldest first. */
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
    this.#clock.after(ms, () => this.#look());
  }

  #look(): void {
    const now = this.#clock.elapsed();
    this.#isWaiting = false;
    for (const [item, since] of this.#since) {
      const left = since + this.#ms - now;
      // With a little patience, so that a busy server looks now and then, and not all the time.
      if (left > 0) return this.#wait(Math.max(left, this.#ms / 4));
      this.#since.delete(item);
      this.#callback(item);
    }
  }
}
