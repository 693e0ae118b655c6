import { performance } from "node:perf_hooks";

/** How much of the time that a turn of many takes to be written may be waited for more. */
const SHARE = 0.5;

/** The longest wait, in milliseconds. */
const MAX_MS = 25;

/** After waits in vain the next one comes after twice as many turns, up to this many. */
const MAX_SKIPPED = 128;

/**
 * So many waits may end early; then it is looked whether still more would come. Not often: processes
 * that write in step fall out of it.
 */
const EARLY_ENDS = 256;

/**
 * Whether to wait for a moment after a room was written before it is written again: people who talk at
 * once answer what they have just heard at about the same time, and what is written together costs a
 * room one write, not two. Those whose process was slower are a little behind.
 *
 * Only where the first of them come right after many writes, for no more than half of the time that
 * those took, until as many frames are there as came before, and only while waiting has been worth it:
 * where nothing more came, it is tried again ever more seldom. A message that comes when nothing was
 * just written waits for nothing.
 */
export class Hold {
  readonly #now: () => number;
  #beganAt = 0;
  /** How long a wait may be, in milliseconds. */
  #shareMs = 0;
  /** When a wait may begin at the latest, and then when it ends; 0 where there is none to be. */
  #until = 0;
  #skip = 0;
  #skipped = 0;
  /** Frames that were there when the wait began; 0 where there is none. */
  #framesBefore = 0;
  /** As many as had come when a wait was over. */
  #enough = Infinity;
  #earlyEnds = 0;

  /** @param now Milliseconds since any moment. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Many writes begin. */
  began(): void {
    this.#beganAt = this.#now();
  }

  /** They are done: for a moment it may be waited for more. */
  written(): void {
    const now = this.#now();
    this.#shareMs = Math.min(MAX_MS, (now - this.#beganAt) * SHARE);
    this.#until = now + this.#shareMs;
  }

  /**
   * How long to wait before `frames` that have gathered are written, in milliseconds: 0 where they are
   * to be written now. To be asked again then, and when there are more.
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
    return this.#over();
  }

  #end(frames: number): 0 {
    const cameMore = frames > this.#framesBefore;
    this.#skip = cameMore ? 0 : Math.min(MAX_SKIPPED, Math.max(1, this.#skip * 2));
    this.#enough = cameMore ? frames : Infinity;
    this.#earlyEnds = 0;
    return this.#over();
  }

  #over(): 0 {
    this.#skipped = this.#framesBefore = this.#until = 0;
    return 0;
  }
}
