import { SmallSet } from "../../core/small_set.ts";
import type { SessionWatcher } from "./registry_entry.ts";
import type { Recollection } from "../cache/recollection.ts";
import type { Session } from "../session.ts";

/** The state about a connection's session that middleware share outside the scope. */
export class SessionListeners implements SessionWatcher {
  /** The read cache for the session's user. */
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

/** Stored on the connection: a weak map of all connections costs more than looking up a session. */
const TIE = Symbol("session tie");

/** Returns the shared state of a connection's session, always the same object for a connection. */
export function sessionListenersOf(connection: object): SessionListeners {
  const tied: { [TIE]?: SessionListeners } = connection;
  return tied[TIE] ??= new SessionListeners();
}

/**
 * Calls `watcher` when the session of a connection or its user changes, as long as the connection
 * is bound to a session. For middleware that puts either into the scope.
 */
export function watchSession(connection: object, watcher: SessionWatcher): void {
  sessionListenersOf(connection).add(watcher);
}
