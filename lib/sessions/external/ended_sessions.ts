import type { Clock } from "../../core/clock.ts";
import type { KeyValue } from "../../kv/mod.ts";

/** Most ended sessions that a process remembers by itself. */
const MAX_REMEMBERED = 100_000;

/** How long the end of a user's sessions is remembered, in milliseconds: longer than a handshake. */
export const USER_END_MS = 60_000;

/** Where ended sessions and users are stored. */
export type EndedKeys = (kind: "session" | "user", id: string) => readonly string[];

/**
 * Remembers the sessions that have ended, each until a given time: in this process the newest 100,000,
 * in the database all of them.
 */
export class EndedSessions {
  readonly #kv: KeyValue | undefined;
  readonly #keyOf: EndedKeys;
  readonly #clock: Clock;
  /** In the order of insertion. */
  readonly #until = new Map<string, number>();
  /** The ends of users, oldest first. */
  readonly #users = new Map<string, { readonly serial: number; readonly at: number }>();
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
    const later = Math.max(until, this.#until.get(sessionId) ?? 0);
    this.#until.delete(sessionId);
    this.#until.set(sessionId, later);
    if (this.#until.size <= MAX_REMEMBERED) return;
    for (const [oldest] of this.#until) {
      this.#until.delete(oldest);
      break;
    }
  }

  /** Remembers in this process that the sessions of a user ended now. */
  addUser(userId: string): void {
    const now = this.#clock.elapsed();
    this.#users.delete(userId);
    for (const [id, { at }] of this.#users) {
      if (now - at < USER_END_MS && this.#users.size < MAX_REMEMBERED) break;
      this.#users.delete(id);
    }
    this.#users.set(userId, { serial: ++this.#serial, at: now });
  }

  /** Returns whether this process learned after a moment that the sessions of a user ended. */
  hasUserHere(userId: string, since: number): boolean {
    return (this.#users.get(userId)?.serial ?? 0) > since;
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
