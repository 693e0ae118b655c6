/**
 * A map that keeps at least the newest `max` entries, and less than twice as many.
 *
 * Each operation takes constant time: entries are dropped in halves. (To delete the first key of a
 * large `Map` again and again is slow, because engines skip the deleted keys each time.)
 */
export class RecentMap<V> {
  readonly #max: number;
  #new = new Map<string, V>();
  #old = new Map<string, V>();

  /** Creates an empty map. */
  constructor(max: number) {
    this.#max = max;
  }

  /** The number of entries. */
  get size(): number {
    return this.#new.size + this.#old.size;
  }

  /** Returns the value of a key. */
  get(key: string): V | undefined {
    return this.#new.get(key) ?? this.#old.get(key);
  }

  /** Sets the value of a key, which becomes the newest. */
  set(key: string, value: V): void {
    this.#old.delete(key);
    this.#new.delete(key);
    this.#new.set(key, value);
    if (this.#new.size >= this.#max) this.age();
  }

  /** Deletes a key. */
  delete(key: string): void {
    this.#new.delete(key);
    this.#old.delete(key);
  }

  /** Drops the entries that were there at the previous call, and have not been set since. */
  age(): void {
    [this.#old, this.#new] = [this.#new, new Map()];
  }
}
