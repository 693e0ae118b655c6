import type { Connection } from "../../core/connection.ts";
import type { Scope } from "../../core/scope.ts";
import { SmallSet } from "../../core/small_set.ts";
import type { ReadCaches } from "../cache/read_cache.ts";
import type { Session } from "../session.ts";

/** The part of a connection that {@linkcode ConnectionRegistry} uses. */
export type SubscribedConnection = Pick<
  Connection,
  "id" | "phase" | "lastReceivedAt" | "refuse" | "end" | "onEnd" | "offEnd"
>;

/** Callbacks for changes of a connection's session while the connection is subscribed to it. */
export interface SessionWatcher {
  /** The session was renewed, or got another secret. */
  sessionChanged?(session: Session): void;
  /** The user may have changed. */
  userChanged?(): void;
}

/** A session with connections in this process. */
export interface RegistryEntry {
  readonly id: string;
  readonly subscriptions: SmallSet<SessionSubscription>;
  session: Session | undefined;
  /** When proved connections that have ended last received something. */
  seenAt: number;
  /** When its lifetime is checked next. */
  checkAt: number;
  /** Removes the entry from the registry if it has no subscriptions. */
  readonly emptied: (entry: RegistryEntry) => void;
}

/**
 * The subscription of a connection to its session, at most one at a time. Middleware shares it: it
 * also has the watchers, which stay when the connection subscribes to another session.
 */
export class SessionSubscription implements SessionWatcher {
  /** The connection that is subscribed. */
  readonly connection: SubscribedConnection;
  /** Its scope, if the `session` in it is kept current. */
  scope: Scope | undefined;
  /** Are called when the session or its user changes. */
  readonly watchers: SmallSet<SessionWatcher> = new SmallSet();
  /** The read caches of the session's store, for its user. */
  caches: ReadCaches | undefined;
  /** Whether the session has ended since the connection subscribed to it. */
  over = false;
  /** Messages that the connection receives count as use of the session only if it is proved. */
  isProved = false;
  #entry: RegistryEntry | undefined;

  /** Creates a subscription to no session yet. */
  constructor(connection: SubscribedConnection) {
    this.connection = connection;
  }

  /** Subscribes to a session, instead of an earlier one. */
  begin(entry: RegistryEntry): void {
    const before = this.#entry;
    this.#entry = entry;
    entry.subscriptions.add(this);
    if (before !== undefined && before !== entry) this.#leave(before);
    this.over = this.isProved = false;
    if (before === undefined) this.connection.onEnd(this);
  }

  /** Replaces the session in the scope. Called before the watchers. */
  sessionChanged(session: Session): void {
    if (this.scope === undefined) return;
    Object.assign(this.scope, { session });
    this.scope.connection.scopeChanged(["session"]);
  }

  /** Marks the connection as having proved that the session is its own. */
  prove(): void {
    this.isProved = true;
  }

  /** Ends the subscription, so that the connection outlives the session. */
  release(): void {
    this.connection.offEnd(this);
    this.ended();
  }

  /** Called when the connection has ended. */
  ended(): void {
    const entry = this.#entry;
    this.#entry = undefined;
    if (entry !== undefined) this.#leave(entry);
  }

  #leave(entry: RegistryEntry): void {
    if (this.isProved) entry.seenAt = Math.max(entry.seenAt, this.connection.lastReceivedAt);
    entry.subscriptions.delete(this);
    if (entry.subscriptions.size === 0) entry.emptied(entry);
  }
}

/** Stored on the connection: a weak map of all connections costs more than looking up a session. */
const SUBSCRIPTION = Symbol("session subscription");

/** Returns the subscription of a connection, always the same object. */
export function subscriptionOf(connection: SubscribedConnection): SessionSubscription {
  const subscribed: SubscribedConnection & { [SUBSCRIPTION]?: SessionSubscription } = connection;
  return subscribed[SUBSCRIPTION] ??= new SessionSubscription(connection);
}

/**
 * Calls `watcher` when the session of a connection or its user changes, as long as the connection
 * is subscribed to a session. For middleware that puts either into the scope.
 */
export function watchSession(connection: SubscribedConnection, watcher: SessionWatcher): void {
  subscriptionOf(connection).watchers.add(watcher);
}
