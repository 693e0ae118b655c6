/** From this many items on a `Set` is faster than looking at them all. */
const SMALL = 8;

/**
 * A set that is small for nearly every owner: a few items take a tenth of a `Set`, and half of an array
 * to which they were pushed.
 */
export class SmallSet<T extends string | object> implements Iterable<T> {
  #items: readonly T[] | Set<T> | undefined;

  get size(): number {
    const items = this.#items;
    return items === undefined ? 0 : items instanceof Set ? items.size : items.length;
  }

  has(item: T): boolean {
    const items = this.#items;
    return items !== undefined && (items instanceof Set ? items.has(item) : items.includes(item));
  }

  add(item: T): void {
    const items = this.#items;
    if (items instanceof Set) items.add(item);
    else if (items === undefined) this.#items = [item];
    else if (items.includes(item)) return;
    // An array that is pushed to takes room for 17.
    else if (items.length < SMALL) this.#items = items.concat([item]);
    else this.#items = new Set(items).add(item);
  }

  delete(item: T): void {
    const items = this.#items;
    if (items instanceof Set) items.delete(item);
    else if (items !== undefined) this.#items = items.filter((other) => other !== item);
    if (this.size === 0) this.#items = undefined;
  }

  clear(): void {
    this.#items = undefined;
  }

  /** In the order in which they were added, as they are now: what is added or deleted meanwhile does not matter. */
  [Symbol.iterator](): Iterator<T> {
    const items = this.#items ?? [];
    return (items instanceof Set ? [...items] : items)[Symbol.iterator]();
  }
}
