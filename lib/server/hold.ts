import { performance } from "node:perf_hooks";

/** How much of the time that a turn of many takes to be written may be waited for more. */
const SHARE = 0.25;

/** The longest wait, in milliseconds. */
const MAX_MS = 2;

/** After waits in vain the next one comes after twice as many turns, up to this many. */
const MAX_SKIPPED = 64;

/**
 * Whether to wait for a moment after a room was written before it is written again: people who talk at
 * once answer what they have just heard at about the same time, and what is written together costs a
 * room one write, not two.
 *
 * Only right after many writes, for no more than a quarter of the time that they took, and only while
 * waiting has been worth it: where nothing more came, it is tried again ever more seldom. A message that
 * comes when nothing was written waits for nothing.
 */
export class Hold {
  readonly #now: () => number;
  #beganAt = 0;
  #until = 0;
  #skip = 0;
  #skipped = 0;
  /** Frames that were there when the wait began; 0 where there is none. */
  #framesBefore = 0;

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
    this.#until = now + Math.min(MAX_MS, (now - this.#beganAt) * SHARE);
  }

  /** Whether to wait before `frames` that have gathered are written. */
  isWorthIt(frames: number): boolean {
    if (this.#until === 0) return false;
    if (this.#framesBefore === 0) {
      if (this.#skipped < this.#skip) {
        this.#skipped++;
        this.#until = 0;
        return false;
      }
      this.#framesBefore = frames;
    }
    if (this.#now() < this.#until) return true;
    this.#learn(frames > this.#framesBefore);
    return false;
  }

  #learn(cameMore: boolean): void {
    this.#skip = cameMore ? 0 : Math.min(MAX_SKIPPED, Math.max(1, this.#skip * 2));
    this.#skipped = this.#framesBefore = this.#until = 0;
  }
}
