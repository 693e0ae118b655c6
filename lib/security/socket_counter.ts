/**
 * Counts open sockets by key: {@linkcode LocalSocketCounter} those of this process,
 * {@linkcode SharedSocketCounter} those of all processes.
 */
export interface SocketCounter {
  /**
   * Counts one more socket and returns a function that undoes it. Returns undefined and counts nothing if
   * there are `limit` already. Concurrent calls do not exceed the limit.
   */
  take(
    key: string,
    limit: number,
  ): (() => void) | undefined | Promise<(() => void) | undefined>;
}

/**
 * Counts the open sockets of this process.
 *
 * @internal
 */
export class LocalSocketCounter implements SocketCounter {
  readonly #counts = new Map<string, number>();
  readonly #changed: ((key: string) => void) | undefined;

  /**
   * Creates a counter without sockets.
   *
   * @param changed Called when a count changes.
   */
  constructor(changed?: (key: string) => void) {
    this.#changed = changed;
  }

  take(key: string, limit: number): (() => void) | undefined {
    const count = this.count(key);
    if (count >= limit) return undefined;
    this.#set(key, count + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#set(key, this.count(key) - 1);
      isTaken = false;
    };
  }

  /** The number of sockets of a key. */
  count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** The keys with open sockets, and their counts. */
  entries(): IterableIterator<[key: string, count: number]> {
    return this.#counts.entries();
  }

  #set(key: string, count: number): void {
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
    this.#changed?.(key);
  }
}
