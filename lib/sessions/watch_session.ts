import { SmallSet } from "../small_set.ts";
import type { SessionWatcher } from "./live_entry.ts";
import type { Recollection } from "./recollection.ts";
import type { Session } from "./session.ts";

/** What middleware shares about the session of one connection, beside the scope. */
export class SessionTie implements SessionWatcher {
  /** Where what is read of the session's person may be kept. */
  recollection: Recollection | undefined;
  readonly #watchers = new SmallSet<SessionWatcher>();

  add(watcher: SessionWatcher): void {
    this.#watchers.add(watcher);
  }

  sessionChanged(session: Session): void {
    for (const watcher of this.#watchers) watcher.sessionChanged?.(session);
  }

  userChanged(): void {
    for (const watcher of this.#watchers) watcher.userChanged?.();
  }
}

/** On the connection itself: a weak map of all connections costs more than the look-up of a session. */
const TIE = Symbol("session tie");

/** Returns what is shared about a connection's session; the same for the same connection. */
export function tieOf(connection: object): SessionTie {
  const tied: { [TIE]?: SessionTie } = connection;
  return tied[TIE] ??= new SessionTie();
}

/**
 * Calls back, for as long as the connection is bound to a session, when what is known of the session
 * or its person changed: for middleware that puts either into the scope.
 */
export function watchSession(connection: object, watcher: SessionWatcher): void {
  tieOf(connection).add(watcher);
}
