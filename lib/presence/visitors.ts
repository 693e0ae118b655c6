import type { Clock } from "../core/clock.ts";
import type { Connection, ConnectionEnd } from "../core/connection.ts";
import { CloseCode } from "../protocol/mod.ts";
import { reconnectAdvice } from "../protocol/close_codes.ts";
import type { Change } from "./presence_change.ts";
import type { PresenceEntry } from "./state.ts";

/** Dependencies of {@linkcode Visitors}. */
export interface VisitorsContext<M> {
  readonly clock: Clock;
  /** How long a user has to reconnect after the last connection broke, in milliseconds. */
  readonly leaveDelayMs: number;
  /** Called when a user has left because all of the user's connections ended. */
  left(visitor: Visitor<M>): void;
}

/** A user in a group, with any number of connections to this process. */
export interface Visitor<M> {
  readonly group: string;
  readonly key: string;
  entry: PresenceEntry<M>;
  readonly connections: Set<Connection>;
  cancelLeave: (() => void) | undefined;
}

/** The groups of a connection, with one end listener for all of them. */
interface Attendance<M> {
  readonly visitors: Set<Visitor<M>>;
  ended(end: ConnectionEnd): void;
}

/** The users who entered in this process, with their connections. */
export class Visitors<M> {
  readonly #context: VisitorsContext<M>;
  readonly #groups = new Map<string, Map<string, Visitor<M>>>();
  readonly #attendances = new Map<Connection, Attendance<M>>();
  #isClosed = false;

  constructor(context: VisitorsContext<M>) {
    this.#context = context;
  }

  /** Returns a user of the group. */
  get(group: string, key: string): Visitor<M> | undefined {
    return this.#groups.get(group)?.get(key);
  }

  /** Returns the entry of each user. */
  entries(): Change<M>[] {
    return [...this.#groups.values()].flatMap((people) =>
      [...people.values()].map(({ group, key, entry }): Change<M> => [group, key, entry])
    );
  }

  /** Adds a user without a connection. */
  add(group: string, key: string, entry: PresenceEntry<M>): Visitor<M> {
    const people = this.#groups.get(group) ?? new Map<string, Visitor<M>>();
    const visitor = {
      group,
      key,
      entry,
      connections: new Set<Connection>(),
      cancelLeave: undefined,
    };
    this.#groups.set(group, people.set(key, visitor));
    return visitor;
  }

  /** Adds a connection to a user, until it ends or {@linkcode untie} is called. */
  tie(visitor: Visitor<M>, connection: Connection): void {
    visitor.cancelLeave?.();
    visitor.cancelLeave = undefined;
    visitor.connections.add(connection);
    const known = this.#attendances.get(connection);
    if (known !== undefined) known.visitors.add(visitor);
    else this.#attend(visitor, connection);
  }

  /** Removes a connection from a user. Returns whether the user has left because of it. */
  untie(visitor: Visitor<M>, connection: Connection): boolean {
    const attendance = this.#attendances.get(connection);
    if (attendance?.visitors.delete(visitor) && attendance.visitors.size === 0) {
      this.#attendances.delete(connection);
      connection.offEnd(attendance);
    }
    return visitor.connections.delete(connection) && this.#remove(visitor);
  }

  /** Cancels all timers: pending leaves are not announced any more. */
  close(): void {
    this.#isClosed = true;
    for (const people of this.#groups.values()) {
      for (const visitor of people.values()) visitor.cancelLeave?.();
    }
  }

  #attend(visitor: Visitor<M>, connection: Connection): void {
    const attendance: Attendance<M> = {
      visitors: new Set([visitor]),
      ended: ({ code }) => {
        this.#attendances.delete(connection);
        for (const visitor of attendance.visitors) this.#depart(visitor, connection, code);
        attendance.visitors.clear();
      },
    };
    this.#attendances.set(connection, attendance);
    connection.onEnd(attendance);
  }

  #depart(visitor: Visitor<M>, connection: Connection, code: number): void {
    visitor.connections.delete(connection);
    if (visitor.connections.size > 0) return;
    const { clock, leaveDelayMs, left } = this.#context;
    const leave = () => {
      if (this.#remove(visitor)) left(visitor);
    };
    if (isFinalEnd(code) || leaveDelayMs === 0 || this.#isClosed) leave();
    else visitor.cancelLeave = clock.after(leaveDelayMs, leave);
  }

  /** Removes a user without connections. */
  #remove(visitor: Visitor<M>): boolean {
    const { group, key, connections } = visitor;
    const people = this.#groups.get(group);
    if (people?.get(key) !== visitor || connections.size > 0) return false;
    visitor.cancelLeave?.();
    people.delete(key);
    if (people.size === 0) this.#groups.delete(group);
    return true;
  }
}

/**
 * Returns whether a connection that ended with `code` is not expected to reconnect soon: the peer closed
 * it (1000, or 1005 without a code), or lost its access, as after the end of a session. A reloaded page
 * ends with 1001, a broken network with 1006, a stopped server with 1012: these are expected back.
 */
function isFinalEnd(code: number): boolean {
  const advice = reconnectAdvice(code);
  return code === CloseCode.noStatus || advice === "stop" || advice === "sign-in";
}
