import { mergeEntries, type PresenceEntry } from "./state.ts";

/** The effect of a change on a user. */
export interface PersonChange<M> {
  readonly kind: "joined" | "left" | "updated";
  readonly meta: M;
}

/** A page of the users in a group, in the order in which they entered. */
export interface PresencePage<M> {
  readonly people: readonly M[];
  /** The number of users in the group. */
  readonly total: number;
  /** The position of the next page; undefined on the last page. */
  readonly next: string | undefined;
}

interface Person<M> {
  readonly key: string;
  /** The entry of each process that has one. */
  readonly known: Map<string, PresenceEntry<M>>;
  merged: PresenceEntry<M>;
}

/** The users of one group, merged from the entries of all processes. */
export class Topic<M> {
  readonly #people = new Map<string, Person<M>>();
  /** Sorted by time of entry, then by key: the same order on all processes. */
  readonly #order: Person<M>[] = [];

  get isEmpty(): boolean {
    return this.#people.size === 0;
  }

  /** Sets the entry that a process has of a user; undefined if the user has left it. */
  set(
    process: string,
    key: string,
    entry: PresenceEntry<M> | undefined,
  ): PersonChange<M> | undefined {
    const person = this.#people.get(key);
    if (entry === undefined) return person && this.#unset(process, person);
    if (person === undefined) {
      this.#add({ key, known: new Map([[process, entry]]), merged: entry });
      return { kind: "joined", meta: entry.meta };
    }
    person.known.set(process, entry);
    return this.#merge(person);
  }

  /** Returns a user's entry, merged from all processes. */
  get(key: string): PresenceEntry<M> | undefined {
    return this.#people.get(key)?.merged;
  }

  /** Returns the `meta` of all users. */
  list(): M[] {
    return this.#order.map((person) => person.merged.meta);
  }

  /** Returns `limit` users after the position of an earlier page. The cost depends on the page alone. */
  page(after: string | undefined, limit: number): PresencePage<M> {
    const first = after === undefined ? 0 : this.#indexAfter(after);
    const part = this.#order.slice(first, first + limit);
    const last = part.at(-1);
    const isEnd = last === undefined || first + part.length >= this.#order.length;
    return {
      people: part.map((person) => person.merged.meta),
      total: this.#order.length,
      next: isEnd ? undefined : `${last.merged.since}:${last.key}`,
    };
  }

  #unset(process: string, person: Person<M>): PersonChange<M> | undefined {
    if (!person.known.delete(process)) return undefined;
    if (person.known.size > 0) return this.#merge(person);
    this.#people.delete(person.key);
    this.#removeFromOrder(person);
    return { kind: "left", meta: person.merged.meta };
  }

  #merge(person: Person<M>): PersonChange<M> | undefined {
    const before = person.merged;
    const merged = [...person.known.values()].reduce(mergeEntries);
    if (merged.since !== before.since) this.#removeFromOrder(person);
    person.merged = merged;
    if (merged.since !== before.since) this.#insertIntoOrder(person);
    const isSame = merged.meta === before.meta ||
      JSON.stringify(merged.meta) === JSON.stringify(before.meta);
    return isSame ? undefined : { kind: "updated", meta: merged.meta };
  }

  #add(person: Person<M>): void {
    this.#people.set(person.key, person);
    this.#insertIntoOrder(person);
  }

  #insertIntoOrder(person: Person<M>): void {
    this.#order.splice(this.#indexOf(person.merged.since, person.key), 0, person);
  }

  #removeFromOrder(person: Person<M>): void {
    this.#order.splice(this.#indexOf(person.merged.since, person.key), 1);
  }

  #indexAfter(place: string): number {
    const colon = place.indexOf(":");
    const [since, key] = [Number(place.slice(0, colon)), place.slice(colon + 1)];
    const index = this.#indexOf(since, key);
    const person = this.#order[index];
    return person?.merged.since === since && person.key === key ? index + 1 : index;
  }

  /** Returns the index of a user, or the index at which the user would be inserted. */
  #indexOf(since: number, key: string): number {
    let [low, high] = [0, this.#order.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#order[middle]!;
      const isBefore = other.merged.since < since ||
        (other.merged.since === since && other.key < key);
      if (isBefore) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
