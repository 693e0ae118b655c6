import { performance } from "node:perf_hooks";

/** Longest delay as a fraction of the time that the last large flush took. */
const SHARE = 0.5;

/** Longest delay, in milliseconds. */
const MAX_MS = 25;

/** Maximum number of flushes to skip; the number doubles after each delay that brought nothing. */
const MAX_SKIPPED = 128;

/**
 * Number of delays that may end early before a full one checks for more frames. It is large, because a
 * full delay puts processes that write in step out of step.
 */
const EARLY_ENDS = 256;

/**
 * Decides whether to delay the next flush of a large group so that replies are coalesced: clients tend
 * to answer a message at about the same time, and one write for a group is cheaper than
 * two. Replies from slower processes arrive slightly later.
 *
 * A delay needs frames that arrive right after a large flush. It lasts at most half of the time that
 * the flush took, and ends once as many frames are there as last time. Delays that bring no further
 * frames are retried less and less often. A frame that follows no large flush is not delayed.
 */
export class Hold {
  readonly #now: () => number;
  #beganAt = 0;
  /** Length of a delay, in milliseconds. */
  #shareMs = 0;
  /** Latest start of a delay, then its end; 0 without a delay. */
  #until = 0;
  #skip = 0;
  #skipped = 0;
  /** Number of frames at the start of the delay; 0 without a delay. */
  #framesBefore = 0;
  /** Number of frames that ends a delay early: as many as the last one collected. */
  #enough = Infinity;
  #earlyEnds = 0;

  /** @param now A monotonic clock, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Records the start of a large flush. */
  began(): void {
    this.#beganAt = this.#now();
  }

  /** Records its end, after which a delay is allowed for a moment. */
  written(): void {
    const now = this.#now();
    this.#shareMs = Math.min(MAX_MS, (now - this.#beganAt) * SHARE);
    this.#until = now + this.#shareMs;
  }

  /**
   * Returns how long to delay the write of `frames` batched frames, in milliseconds; 0 means write
   * now. Call it again after the delay, and when more frames arrive.
   */
  waitMs(frames: number): number {
    if (this.#until === 0) return 0;
    const now = this.#now();
    if (this.#framesBefore === 0) {
      const isTooLate = now >= this.#until;
      if (isTooLate || this.#skipped < this.#skip) {
        if (!isTooLate) this.#skipped++;
        this.#until = 0;
        return 0;
      }
      this.#framesBefore = frames;
      this.#until = now + this.#shareMs;
    }
    if (frames >= this.#enough) return this.#endEarly();
    return now < this.#until ? this.#until - now : this.#end(frames);
  }

  #endEarly(): 0 {
    if (++this.#earlyEnds === EARLY_ENDS) this.#enough = Infinity;
    return this.#reset();
  }

  #end(frames: number): 0 {
    const moreArrived = frames > this.#framesBefore;
    this.#skip = moreArrived ? 0 : Math.min(MAX_SKIPPED, Math.max(1, this.#skip * 2));
    this.#enough = moreArrived ? frames : Infinity;
    this.#earlyEnds = 0;
    return this.#reset();
  }

  #reset(): 0 {
    this.#skipped = this.#framesBefore = this.#until = 0;
    return 0;
  }
}
