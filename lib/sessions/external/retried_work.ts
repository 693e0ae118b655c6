import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { retryPauseMs } from "../../time/retry_pause.ts";

/** Most pieces of work that wait for another attempt. */
const MAX_WAITING = 10_000;

const PAUSE = { minMs: 100, maxMs: 1_000 };

/** The pause between two repetitions of work that has succeeded, in milliseconds. */
const REPEAT_MS = 1_000;

interface Work {
  readonly run: () => Promise<void>;
  /** How often it must still succeed. */
  left: number;
}

/** Repeats failed work until it succeeds or is no longer needed, in the order in which it was added. */
export class RetriedWork {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #times: number;
  readonly #waiting = new Map<string, Work>();
  #failures = 0;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  /** @param times How often work that has failed must succeed afterwards, a second apart. */
  constructor({ clock, log }: { clock: Clock; log: Log }, times = 1) {
    this.#times = times;
    this.#clock = clock;
    this.#log = log;
  }

  /** The number of pieces of work that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Does the work now. Returns whether it succeeded; if not, it is repeated in the background, once for
   * each `key`. Past 10,000, the oldest work is dropped.
   */
  async run(key: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.#log.warn("the end of a session could not be passed on, retrying", { error });
    }
    if (this.#isClosed) return false;
    if (this.#waiting.size >= MAX_WAITING) {
      for (const oldest of this.#waiting.keys()) {
        this.#waiting.delete(oldest);
        break;
      }
    }
    this.#waiting.set(key, { run: work, left: this.#times });
    this.#arm();
    return false;
  }

  /** Drops all work that waits. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
    this.#cancel?.();
  }

  #arm(): void {
    if (this.#cancel !== undefined) return;
    const isRepeating = [...this.#waiting.values()].every(({ left }) => left < this.#times);
    const pauseMs = isRepeating ? REPEAT_MS : retryPauseMs(this.#failures, PAUSE);
    this.#cancel = this.#clock.after(pauseMs, () => {
      void this.#retry().catch(() => {}); // It never rejects.
    });
  }

  async #retry(): Promise<void> {
    for (const [key, work] of this.#waiting) {
      try {
        await work.run();
      } catch {
        this.#failures++;
        break;
      }
      this.#failures = 0;
      if (--work.left <= 0 && this.#waiting.get(key) === work) this.#waiting.delete(key);
    }
    this.#cancel = undefined;
    if (this.#waiting.size > 0) this.#arm();
  }
}
