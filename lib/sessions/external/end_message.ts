import type { SessionEndReason } from "../session.ts";
import { readId, readTime } from "./identity.ts";

/** The end of a session, or of all sessions of a user, as processes tell each other. */
export type EndMessage =
  | {
    readonly type: "ended";
    readonly sessionId: string;
    /** Empty: the process that ended the session need not know its user. */
    readonly userId: string;
    readonly reason: SessionEndReason;
    /** Until when the session stays refused, in milliseconds since the epoch. */
    readonly until: number;
  }
  | { readonly type: "user-ended"; readonly userId: string; readonly reason: SessionEndReason };

const REASONS: ReadonlySet<unknown> = new Set<SessionEndReason>([
  "signed-out",
  "revoked",
  "replaced",
  "expired",
  "stolen",
  "user-removed",
  "user-banned",
]);

/**
 * Returns a valid reason: close frames, the log and other processes get it.
 *
 * @throws {TypeError} It is not one of {@linkcode SessionEndReason}.
 */
export function readReason(reason: SessionEndReason): SessionEndReason {
  if (REASONS.has(reason)) return reason;
  throw new TypeError(`The reason must be one of ${[...REASONS].join(", ")}`);
}

/** Returns a message of another process, or undefined if it is not one. */
export function readEndMessage(data: unknown): EndMessage | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const { type, sessionId, userId, reason, until } = data as Partial<Record<string, unknown>>;
  if (!REASONS.has(reason)) return undefined;
  const known = reason as SessionEndReason;
  try {
    if (type === "user-ended") return { type, userId: readId(userId, "userId"), reason: known };
    if (type !== "ended") return undefined;
    const id = readId(sessionId, "sessionId");
    return { type, sessionId: id, userId: "", reason: known, until: readTime(until, "until") };
  } catch {
    return undefined;
  }
}
