import { isSame, mergeEntries, type PresenceEntry } from "./state.ts";

/** The effect of a change on a user. */
export interface MemberChange<M> {
  readonly kind: "joined" | "left" | "updated";
  readonly meta: M;
}

interface Member<M> {
  readonly key: string;
  /** The entry of each process that has one. */
  readonly known: Map<string, PresenceEntry<M>>;
  merged: PresenceEntry<M>;
}

/** The users of one group, merged from the entries of all processes. */
export class Topic<M> {
  readonly #people = new Map<string, Member<M>>();
  /** Sorted by time of entry, then by key: the same order on all processes. */
  readonly #order: Member<M>[] = [];

  get isEmpty(): boolean {
    return this.#people.size === 0;
  }

  /** Sets the entry that a process has of a user; undefined if the user has left it. */
  set(
    process: string,
    key: string,
    entry: PresenceEntry<M> | undefined,
  ): MemberChange<M> | undefined {
    const member = this.#people.get(key);
    if (entry === undefined) return member && this.#unset(process, member);
    if (member === undefined) {
      this.#add({ key, known: new Map([[process, entry]]), merged: entry });
      return { kind: "joined", meta: entry.meta };
    }
    member.known.set(process, entry);
    return this.#merge(member);
  }

  /** Returns a user's entry, merged from all processes. */
  get(key: string): PresenceEntry<M> | undefined {
    return this.#people.get(key)?.merged;
  }

  /** Returns the `meta` of all users. */
  list(): M[] {
    return this.#order.map((member) => member.merged.meta);
  }

  /** Returns `limit` users after the position of an earlier page. The cost depends on the page alone. */
  page(after: string | undefined, limit: number): {
    readonly people: readonly M[];
    readonly total: number;
    readonly next: string | undefined;
  } {
    const first = after === undefined ? 0 : this.#indexAfter(after);
    const part = this.#order.slice(first, first + limit);
    const last = part.at(-1);
    const isEnd = last === undefined || first + part.length >= this.#order.length;
    return {
      people: part.map((member) => member.merged.meta),
      total: this.#order.length,
      next: isEnd ? undefined : `${last.merged.since}:${last.key}`,
    };
  }

  #unset(process: string, member: Member<M>): MemberChange<M> | undefined {
    if (!member.known.delete(process)) return undefined;
    if (member.known.size > 0) return this.#merge(member);
    this.#people.delete(member.key);
    this.#removeFromOrder(member);
    return { kind: "left", meta: member.merged.meta };
  }

  #merge(member: Member<M>): MemberChange<M> | undefined {
    const before = member.merged;
    const merged = [...member.known.values()].reduce(mergeEntries);
    if (merged.since !== before.since) this.#removeFromOrder(member);
    member.merged = merged;
    if (merged.since !== before.since) this.#insertIntoOrder(member);
    return isSame(merged.meta, before.meta) ? undefined : { kind: "updated", meta: merged.meta };
  }

  #add(member: Member<M>): void {
    this.#people.set(member.key, member);
    this.#insertIntoOrder(member);
  }

  #insertIntoOrder(member: Member<M>): void {
    this.#order.splice(this.#indexOf(member.merged.since, member.key), 0, member);
  }

  #removeFromOrder(member: Member<M>): void {
    this.#order.splice(this.#indexOf(member.merged.since, member.key), 1);
  }

  #indexAfter(place: string): number {
    const colon = place.indexOf(":");
    const [since, key] = [Number(place.slice(0, colon)), place.slice(colon + 1)];
    const index = this.#indexOf(since, key);
    const member = this.#order[index];
    return member?.merged.since === since && member.key === key ? index + 1 : index;
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
