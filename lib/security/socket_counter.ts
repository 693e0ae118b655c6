/**
 * Counts open sockets by name: {@linkcode LocalSocketCounter} those of this process,
 * {@linkcode SharedSocketCounter} those of all.
 */
export interface SocketCounter {
  /**
   * Counts one more, and returns how to take it back; or returns undefined, and counts nothing: there
   * are `limit` already. Of several calls at once, no more than the limit allows succeed.
   */
  take(
    key: string,
    limit: number,
  ): (() => void) | undefined | Promise<(() => void) | undefined>;
}

/** Counts the open sockets of this process. */
export class LocalSocketCounter implements SocketCounter {
  readonly #counts = new Map<string, number>();
  readonly #changed: ((key: string) => void) | undefined;

  /** @param changed Called at each change of a count. */
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

  /** How many there are of a name. */
  count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** The names of which there are some, and how many. */
  entries(): IterableIterator<[key: string, count: number]> {
    return this.#counts.entries();
  }

  #set(key: string, count: number): void {
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
    this.#changed?.(key);
  }
}
