import type { Clock } from "../../core/clock.ts";
import type { KeyValue } from "../../kv/mod.ts";

/** The newest ended sessions, and users, that a process remembers by itself. */
const MAX_REMEMBERED = 100_000;

/** How long the end of a user's sessions is remembered, in milliseconds: longer than a handshake. */
export const USER_END_MS = 60_000;

/** Where ended sessions and users are stored. */
export type EndedKeys = (kind: "session" | "user", id: string) => readonly string[];

/**
 * Remembers the sessions that have ended, each until a given time: in this process at least the
 * newest 100,000, in the database all of them.
 */
export class EndedSessions {
  readonly #kv: KeyValue | undefined;
  readonly #keyOf: EndedKeys;
  readonly #clock: Clock;
  readonly #until = new RecentMap<number>(MAX_REMEMBERED);
  /** The serial numbers of the ends of users. */
  readonly #users = new RecentMap<number>(MAX_REMEMBERED);
  #agedAt = 0;
  #serial = 0;

  constructor(kv: KeyValue | undefined, options: { keyOf: EndedKeys; clock: Clock }) {
    this.#kv = kv;
    this.#keyOf = options.keyOf;
    this.#clock = options.clock;
  }

  /** The number of sessions that this process remembers. */
  get size(): number {
    return this.#until.size;
  }

  /** The number of ends of users so far: a moment, for {@linkcode hasUserHere} and {@linkcode find}. */
  get moment(): number {
    return this.#serial;
  }

  /** Remembers the end of a session in this process. */
  add(sessionId: string, until: number): void {
    this.#until.set(sessionId, Math.max(until, this.#until.get(sessionId) ?? 0));
  }

  /** Remembers in this process that the sessions of a user ended now. */
  addUser(userId: string): void {
    const now = this.#clock.elapsed();
    if (now - this.#agedAt >= USER_END_MS) {
      this.#users.age();
      this.#agedAt = now;
    }
    this.#users.set(userId, ++this.#serial);
  }

  /** Returns whether this process learned after a moment that the sessions of a user ended. */
  hasUserHere(userId: string, since: number): boolean {
    return (this.#users.get(userId) ?? 0) > since;
  }

  /** Returns whether this process remembers the end of a session. */
  hasHere(sessionId: string): boolean {
    const until = this.#until.get(sessionId);
    if (until === undefined) return false;
    if (this.#clock.now() < until) return true;
    this.#until.delete(sessionId);
    return false;
  }

  /**
   * Returns whether a session has ended: one read of the database, if there is one.
   *
   * @throws {Error} The database cannot be reached.
   */
  async isEnded(sessionId: string): Promise<boolean> {
    if (this.hasHere(sessionId) || this.#kv === undefined) return this.hasHere(sessionId);
    const { value = 0 } = await this.#kv.get<number>(this.#keyOf("session", sessionId));
    return this.hasHere(sessionId) || this.#clock.now() < value;
  }

  /**
   * Looks up a session and its user: one read of the database, if there is one. `isUserEnded` tells
   * whether sessions of the user may have ended after a moment of this process.
   *
   * @throws {Error} The database cannot be reached.
   */
  async find(
    { id, userId }: { readonly id: string; readonly userId: string },
    since: number,
  ): Promise<{ isEnded: boolean; isUserEnded: boolean }> {
    let [isEnded, isUserEnded] = [false, false];
    if (this.#kv !== undefined && !this.hasHere(id)) {
      const keys = [this.#keyOf("session", id), this.#keyOf("user", userId)];
      const [ended, user] = await this.#kv.getMany<number>(keys);
      isEnded = this.#clock.now() < (ended?.value ?? 0);
      isUserEnded = user?.value !== undefined;
    }
    // Last: an end may have arrived during the read.
    return {
      isEnded: isEnded || this.hasHere(id),
      isUserEnded: isUserEnded || this.hasUserHere(userId, since),
    };
  }
}

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
