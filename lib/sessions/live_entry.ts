import type { Connection } from "../scope.ts";
import type { SmallSet } from "../small_set.ts";
import type { LiveBinding } from "./live_binding.ts";
import type { FoundSession, Session } from "./session.ts";

/** What {@linkcode LiveSessions} needs to know of sessions. {@linkcode Sessions} has it. */
export interface SessionSource {
  /** How long a session is not renewed again, in milliseconds. */
  readonly renewEveryMs: number;
  /** Returns a session that lives. */
  get(id: string): Promise<Session | undefined>;
  /** Finds sessions, in the order of `ids`. */
  findMany(ids: readonly string[]): Promise<FoundSession[]>;
  /** Renews a session that was in use; undefined where it is over. */
  touch(session: Session, options: { seenAt: number }): Promise<Session | undefined>;
}

/** What {@linkcode LiveSessions} needs of a connection. */
export type BoundConnection = Pick<
  Connection,
  "id" | "phase" | "lastReceivedAt" | "refuse" | "end" | "onEnd" | "offEnd"
>;

/** What a connection wants to know of its session while it is bound to it. */
export interface SessionWatcher {
  /** The session lives longer, or got another secret. */
  sessionChanged?(session: Session): void;
  /** What is known of the person may be out of date. */
  userChanged?(): void;
}

/** One connection's tie to its session. */
export interface SessionBinding {
  /** Whether the session ended since the connection was bound to it. */
  readonly over: boolean;
  /** Notes that the connection has proved that the session is its own. */
  prove(): void;
  /** Unties them. Happens by itself at the connection's end. */
  release(): void;
}

/** One session that has connections in this process. */
export interface LiveEntry {
  readonly id: string;
  readonly bindings: SmallSet<LiveBinding>;
  session: Session | undefined;
  /** When proved connections that are gone received something last. */
  seenAt: number;
  /** When its lifetime is looked at next. */
  checkAt: number;
}
