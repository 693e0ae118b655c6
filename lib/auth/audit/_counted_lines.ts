import type { Clock } from "../../core/clock.ts";

/** How long repetitions are counted before one line reports their number, in milliseconds. */
const WINDOW_MS = 10_000;

/** Most keys counted at a time. */
const MAX_KEYS = 1_000;

/** Writes a line. With `count`, the line stands for that many events. */
type WriteLine = (count?: number) => void;

interface Window {
  count: number;
  /** How many of these had their own line. */
  readonly written: number;
  write: WriteLine;
  readonly cancel: () => void;
}

/**
 * Rate-limits log lines that anyone can trigger.
 *
 * The first line of a key is written at once. Repetitions within ten seconds are counted, and then
 * one line reports their number, the first included. This repeats every ten seconds until there are
 * none. Past 1,000 keys at a time, all further keys share one counter.
 */
export class CountedLines {
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Writes or counts a line. */
  add(key: string, write: WriteLine): void {
    const isOwn = this.#windows.has(key) || this.#windows.size < MAX_KEYS;
    const counted = isOwn ? key : "";
    const window = this.#windows.get(counted);
    if (window !== undefined) {
      window.count++;
      window.write = write;
      return;
    }
    this.#open(counted, { count: 1, written: 1, write });
    write();
  }

  /** Writes all pending counts now. */
  flush(): void {
    for (const key of [...this.#windows.keys()]) this.#close(key);
  }

  #open(key: string, window: Omit<Window, "cancel">): void {
    const cancel = this.#clock.after(WINDOW_MS, () => {
      const { write } = window;
      if (this.#close(key)) this.#open(key, { count: 0, written: 0, write });
    });
    this.#windows.set(key, { ...window, cancel });
  }

  /** Returns whether there was a count to report. */
  #close(key: string): boolean {
    const { count, written, write, cancel } = this.#windows.get(key)!;
    cancel();
    this.#windows.delete(key);
    if (count === written) return false;
    write(count);
    return true;
  }
}
