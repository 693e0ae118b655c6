/** Counts failures within a sliding window. Stores at most `limit` times. */
export class SlidingCount {
  readonly #limit: number;
  readonly #windowMs: number;
  #times: number[] = [];

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Counts one at `now`; returns whether that makes `limit` within the window. */
  add(now: number): boolean {
    this.#times.push(now);
    if (this.#times.length > this.#limit) this.#times.shift();
    return this.#times.length === this.#limit && now - this.#times[0]! < this.#windowMs;
  }
}
