import { CloseCode } from "../../protocol/mod.ts";
import { type Clock, systemClock } from "../../core/clock.ts";
import type { Connection } from "../../core/connection.ts";
import type { User } from "./user.ts";
import type { UserStore } from "./user_store.ts";

/** A scope whose user is kept current. */
export interface LiveScope {
  readonly connection: Connection;
  user: User | undefined;
}

/** A read of a user in progress. */
interface Reading {
  /** Increases with each read that begins. */
  readonly serial: number;
  readonly user: Promise<User | undefined>;
}

/** Delay before a failed read of a user is retried, in milliseconds. */
const RETRY_MS = 1_000;

/**
 * Keeps the user in the scopes of open connections current.
 *
 * A change costs one read per user and process, no matter how many connections the user has. If the
 * store cannot be reached, the read is retried every second. If reads finish out of order, the one
 * that began last wins.
 *
 * *Security*: the connection of a removed or banned user ends with 4401, and with 4403 if the
 * session turns out to be another user's.
 */
export class LiveUsers {
  readonly #users: UserStore;
  readonly #clock: Clock;
  readonly #reading = new Map<string, Reading>();
  /** For each scope, the serial number of the read that it was updated from. */
  readonly #appliedTo = new WeakMap<LiveScope, number>();
  #serial = 0;

  constructor(users: UserStore, clock: Clock = systemClock) {
    this.#users = users;
    this.#clock = clock;
  }

  /** Reads the user of a scope again. Never rejects. */
  async refresh(scope: LiveScope): Promise<void> {
    const { connection, user: before } = scope;
    if (before === undefined || connection.phase === "ended") return;
    const reading = this.#read(before.id);
    let user: User | undefined;
    try {
      user = await reading.user;
    } catch (error) {
      if (!this.#isNewest(scope, reading)) return;
      connection.log.warn("a user could not be read again", { user: before.id, error });
      return this.#retry(scope);
    }
    if (!this.#isNewest(scope, reading)) return;
    this.#appliedTo.set(scope, reading.serial);
    if (user === undefined || user.bannedAt !== undefined) {
      return connection.end(CloseCode.sessionOver, "user-removed");
    }
    if (user.id !== before.id) return connection.end(CloseCode.forbidden, "another user");
    if (scope.user !== undefined && isSame(scope.user, user)) return;
    scope.user = user;
    connection.scopeChanged(["user"]);
  }

  /** Runs outside the consumer's turns, which a hanging handler would block. */
  #retry(scope: LiveScope): void {
    const { connection } = scope;
    const cancel = this.#clock.after(RETRY_MS, () => {
      connection.offEnd(cancel);
      void this.refresh(scope);
    });
    connection.onEnd(cancel);
  }

  /** Returns whether no read that began later has updated the scope already. */
  #isNewest(scope: LiveScope, { serial }: Reading): boolean {
    return serial > (this.#appliedTo.get(scope) ?? 0);
  }

  /** Reads of one user that begin in the same turn share one call. */
  #read(id: string): Reading {
    const known = this.#reading.get(id);
    if (known) return known;
    const reading = { serial: ++this.#serial, user: this.#users.get(id) };
    this.#reading.set(id, reading);
    // A read in a later turn must see later writes.
    queueMicrotask(() => this.#reading.delete(id));
    return reading;
  }
}

function isSame(a: User, b: User): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
