import type { Clock } from "../scope.ts";

/** For how long repetitions are counted before a line says how many there were, in milliseconds. */
const WINDOW_MS = 10_000;

/** Most keys that are counted at a time. */
const MAX_KEYS = 1_000;

/** Writes a line; with `count` it stands for so many. */
type WriteLine = (count?: number) => void;

interface Window {
  count: number;
  /** How many of these were written as a line of their own. */
  readonly written: number;
  write: WriteLine;
  readonly cancel: () => void;
}

/**
 * Writes lines that anybody can cause in any number.
 *
 * The first line of a key is written at once. Further ones within ten seconds are counted, and then one
 * line says how many there were, the first included. The same goes for each ten seconds after that,
 * until there are none. Past 1,000 keys at a time, further keys count as one.
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

  /** Writes at once what was counted. */
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

  /** Returns whether there was anything to say. */
  #close(key: string): boolean {
    const { count, written, write, cancel } = this.#windows.get(key)!;
    cancel();
    this.#windows.delete(key);
    if (count === written) return false;
    write(count);
    return true;
  }
}
