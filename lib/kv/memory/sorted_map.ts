/** A map whose keys can be listed in the order of their UTF-16 units. */
export class SortedMap<V> {
  readonly #values = new Map<string, V>();
  #keys: string[] = [];

  /** Returns the value of a key. */
  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  /** Sets the value of a key. */
  set(key: string, value: V): void {
    if (!this.#values.has(key)) this.#keys.splice(this.#indexOf(key), 0, key);
    this.#values.set(key, value);
  }

  /** Deletes a key. */
  delete(key: string): void {
    if (this.#values.delete(key)) this.#keys.splice(this.#indexOf(key), 1);
  }

  /** Deletes the keys whose values match. */
  deleteWhere(matches: (value: V) => boolean): void {
    for (const [key, value] of this.#values) if (matches(value)) this.#values.delete(key);
    this.#keys = this.#keys.filter((key) => this.#values.has(key));
  }

  /** Deletes everything. */
  clear(): void {
    this.#values.clear();
    this.#keys = [];
  }

  /** Returns the values from a key up to another, which is excluded. */
  *range(from: string, to: string, reverse: boolean): Generator<V> {
    const [first, end] = [this.#indexOf(from), this.#indexOf(to)];
    for (let offset = 0; offset < end - first; offset++) {
      yield this.#values.get(this.#keys[reverse ? end - 1 - offset : first + offset]!)!;
    }
  }

  /** Returns the index of the first key that is not less. */
  #indexOf(key: string): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
