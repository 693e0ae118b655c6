/** From this many names on a `Set` is faster than looking at them all. */
const SMALL = 8;

/** A set of names that is small for nearly every owner: a few of them take a tenth of a `Set`. */
export class NameSet implements Iterable<string> {
  #names: string[] | Set<string> | undefined;

  get size(): number {
    const names = this.#names;
    return names === undefined ? 0 : names instanceof Set ? names.size : names.length;
  }

  has(name: string): boolean {
    const names = this.#names;
    return names !== undefined && (names instanceof Set ? names.has(name) : names.includes(name));
  }

  add(name: string): void {
    const names = this.#names;
    if (names instanceof Set) names.add(name);
    else if (names === undefined) this.#names = [name];
    else if (names.includes(name)) return;
    else if (names.length < SMALL) names.push(name);
    else this.#names = new Set(names).add(name);
  }

  delete(name: string): void {
    const names = this.#names;
    if (names instanceof Set) names.delete(name);
    else if (names !== undefined) this.#names = names.filter((other) => other !== name);
    if (this.size === 0) this.#names = undefined;
  }

  clear(): void {
    this.#names = undefined;
  }

  /** As they are now: what is added or deleted meanwhile does not matter. */
  [Symbol.iterator](): Iterator<string> {
    return [...this.#names ?? []][Symbol.iterator]();
  }
}
