import type { Connection } from "../../core/connection.ts";
import type { SmallSet } from "../../core/small_set.ts";
import type { RegistrySubscription } from "./session_subscription.ts";
import type { FoundSession, Session } from "../session.ts";

/** The part of {@linkcode Sessions} that {@linkcode ConnectionRegistry} uses. */
export interface SessionSource {
  /** The shortest time between two renewals of a session, in milliseconds. */
  readonly renewEveryMs: number;
  /** Returns a live session. */
  get(id: string): Promise<Session | undefined>;
  /** Finds sessions, in the order of `ids`. */
  findMany(ids: readonly string[]): Promise<FoundSession[]>;
  /** Renews a session that was in use; undefined if it has ended. */
  touch(session: Session, options: { seenAt: number }): Promise<Session | undefined>;
}

/** The part of a connection that {@linkcode ConnectionRegistry} uses. */
export type SubscribedConnection = Pick<
  Connection,
  "id" | "phase" | "lastReceivedAt" | "refuse" | "end" | "onEnd" | "offEnd"
>;

/** Callbacks for changes of a connection's session while the connection is bound to it. */
export interface SessionWatcher {
  /** The session was renewed, or got another secret. */
  sessionChanged?(session: Session): void;
  /** The user may have changed. */
  userChanged?(): void;
}

/** A connection's subscription to its session. */
export interface SessionSubscription {
  /** Whether the session has ended since the connection was bound to it. */
  readonly over: boolean;
  /** Marks the connection as having proved that the session is its own. */
  prove(): void;
  /** Unbinds the connection. Happens automatically when the connection ends. */
  release(): void;
}

/** A session with connections in this process. */
export interface RegistryEntry {
  readonly id: string;
  readonly subscriptions: SmallSet<RegistrySubscription>;
  session: Session | undefined;
  /** When proved connections that have ended last received something. */
  seenAt: number;
  /** When its lifetime is checked next. */
  checkAt: number;
}
