import type { SessionWatcher } from "./live_entry.ts";

const watchers = new WeakMap<object, SessionWatcher[]>();

/**
 * Calls back, for as long as the connection is bound to a session, when what is known of the session
 * or its person changed: for middleware that puts either into the scope.
 */
export function watchSession(connection: object, watcher: SessionWatcher): void {
  const known = watchers.get(connection);
  if (known) known.push(watcher);
  else watchers.set(connection, [watcher]);
}

/** Returns a watcher that passes on to all of a connection. */
export function watchersOf(connection: object): SessionWatcher {
  const all = () => watchers.get(connection) ?? [];
  return {
    sessionChanged: (session) => all().forEach((watcher) => watcher.sessionChanged?.(session)),
    userChanged: () => all().forEach((watcher) => watcher.userChanged?.()),
  };
}
