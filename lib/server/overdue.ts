import type { Clock } from "../scope.ts";

/**
 * Calls back for each item that is still here after a time that is the same for all: with one timer
 * for them, and none where there are none, as nearly all leave long before.
 *
 * Items come due in the order in which they were added; their callback may be up to a quarter of the
 * time late.
 */
export class Overdue<T> {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #callback: (item: T) => void;
  readonly #since = new Map<T, number>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, ms: number, callback: (item: T) => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#callback = callback;
  }

  add(item: T): void {
    this.#since.set(item, this.#clock.now());
    if (this.#cancel === undefined) this.#wait(this.#ms);
  }

  delete(item: T): void {
    if (!this.#since.delete(item) || this.#since.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => this.#look());
  }

  #look(): void {
    const now = this.#clock.now();
    this.#cancel = undefined;
    for (const [item, since] of this.#since) {
      const left = since + this.#ms - now;
      // With a little patience, so that a busy server looks now and then, and not all the time.
      if (left > 0) return this.#wait(Math.max(left, this.#ms / 4));
      this.#since.delete(item);
      this.#callback(item);
    }
  }
}
