/** From this size a `Set` is faster than a scan. */
const SMALL = 8;

/** A set optimized for few items: a single one takes no memory of its own. */
export class SmallSet<T extends string | object> implements Iterable<T> {
  /** A single item is kept as it is. */
  #items: T | readonly T[] | Set<T> | undefined;

  get size(): number {
    const all = this.#all;
    return all instanceof Set ? all.size : all.length;
  }

  has(item: T): boolean {
    const all = this.#all;
    return all instanceof Set ? all.has(item) : all.includes(item);
  }

  add(item: T): void {
    const all = this.#all;
    if (all instanceof Set) all.add(item);
    else if (all.includes(item)) return;
    else if (all.length === 0) this.#items = item;
    // push() would reserve room for 17 items.
    else this.#items = all.length < SMALL ? all.concat([item]) : new Set(all).add(item);
  }

  delete(item: T): void {
    const all = this.#all;
    if (all instanceof Set) {
      all.delete(item);
      if (all.size === 0) this.#items = undefined;
    } else {
      const rest = all.filter((other) => other !== item);
      this.#items = rest.length > 1 ? rest.slice() : rest[0]; // filter() reserves room, too.
    }
  }

  clear(): void {
    this.#items = undefined;
  }

  /** Iterates in insertion order over a snapshot: later additions and deletions have no effect. */
  [Symbol.iterator](): Iterator<T> {
    const all = this.#all;
    return (all instanceof Set ? [...all] : all)[Symbol.iterator]();
  }

  get #all(): readonly T[] | Set<T> {
    const items = this.#items;
    if (items === undefined) return [];
    return items instanceof Set || Array.isArray(items)
      ? items as readonly T[] | Set<T>
      : [items as T];
  }
}
