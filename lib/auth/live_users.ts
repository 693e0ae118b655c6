import { CloseCode } from "../protocol/mod.ts";
import type { Connection } from "../scope.ts";
import { type SessionWatcher, watchSession } from "../sessions/mod.ts";
import type { User } from "./user.ts";
import type { UserStore } from "./user_store.ts";

/** A scope whose person is kept up to date. */
interface LiveScope {
  readonly connection: Connection;
  user: User | undefined;
}

/** How long after a failure the person is read again, in milliseconds. */
const RETRY_MS = 1_000;

/**
 * Keeps the person in the scopes of open connections up to date.
 *
 * A change costs one read per person and process, however many connections they have. Where the
 * store cannot be reached, it is tried again every second.
 *
 * *Security*: a person who was removed or banned ends the connection with 4401; somebody else than
 * before ends it with 4403.
 */
export class LiveUsers {
  readonly #users: UserStore;
  readonly #reading = new Map<string, Promise<User | undefined>>();

  constructor(users: UserStore) {
    this.#users = users;
  }

  /**
   * Keeps the person of a scope up to date, until the connection's end. Call it *before* the person is
   * read, and `known()` of what it returns afterwards: a change that comes in between is not missed.
   */
  watch(scope: LiveScope): { known(): void } {
    const watch = new UserWatch(this, scope);
    watchSession(scope.connection, watch);
    return watch;
  }

  /** Reads the person of a scope again. */
  async refresh(scope: LiveScope): Promise<void> {
    const { connection, user: before } = scope;
    if (before === undefined || connection.phase === "ended") return;
    let user: User | undefined;
    try {
      user = await this.#read(before.id);
    } catch (error) {
      connection.log.warn("a person could not be read again", { user: before.id, error });
      connection.after(RETRY_MS, () => void this.refresh(scope));
      return;
    }
    if (user === undefined || user.bannedAt !== undefined) {
      return connection.end(CloseCode.sessionOver, "user-removed");
    }
    if (user.id !== before.id) return connection.end(CloseCode.forbidden, "another user");
    if (isSame(before, user)) return;
    scope.user = user;
    connection.scopeChanged(["user"]);
  }

  /** Readings of one person that begin in the same turn are one. */
  #read(id: string): Promise<User | undefined> {
    const known = this.#reading.get(id);
    if (known) return known;
    const reading = this.#users.get(id);
    this.#reading.set(id, reading);
    // Only for those of this turn: whoever asks later wants to know what was written later.
    queueMicrotask(() => this.#reading.delete(id));
    return reading;
  }
}

/** Waits for news of the person of one scope. */
class UserWatch implements SessionWatcher {
  readonly #live: LiveUsers;
  readonly #scope: LiveScope;
  #isKnown = false;
  #isOutdated = false;

  constructor(live: LiveUsers, scope: LiveScope) {
    this.#live = live;
    this.#scope = scope;
  }

  userChanged(): void {
    if (this.#isKnown) void this.#live.refresh(this.#scope);
    else this.#isOutdated = true;
  }

  /** The person was read. */
  known(): void {
    this.#isKnown = true;
    if (this.#isOutdated) void this.#live.refresh(this.#scope);
  }
}

function isSame(a: User, b: User): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
