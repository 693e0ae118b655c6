/**
 * Counts open sockets by name. The one that is there counts those of this process; one that counts
 * for several processes fits in its place.
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

  take(key: string, limit: number): (() => void) | undefined {
    const count = this.#counts.get(key) ?? 0;
    if (count >= limit) return undefined;
    this.#counts.set(key, count + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#release(key);
      isTaken = false;
    };
  }

  #release(key: string): void {
    const count = this.#counts.get(key) ?? 1;
    if (count <= 1) this.#counts.delete(key);
    else this.#counts.set(key, count - 1);
  }
}
