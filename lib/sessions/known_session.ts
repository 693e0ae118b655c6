import { type Session, type SessionLifetime, toSession } from "./session.ts";
import type { SessionRecord } from "./session_store.ts";
import { matchesHash } from "./session_token.ts";

/**
 * What has to be known of a stored session to let somebody in with it. Of many connections of it all
 * have the same `session`.
 */
export interface KnownSession {
  readonly session: Session;
  /** See {@linkcode SessionRecord}. */
  readonly secretHash: string;
  readonly previousHash: string | undefined;
  readonly previousUntil: number;
}

/** Returns what has to be known of a stored session. */
export function toKnown(record: SessionRecord, lifetime: SessionLifetime): KnownSession {
  return {
    session: Object.freeze(toSession(record, lifetime)),
    secretHash: record.secretHash,
    previousHash: record.previousHash,
    previousUntil: record.previousUntil ?? 0,
  };
}

/** Returns whether `secret` is that of a session, or was until a moment ago. */
export function isSecretOf(known: KnownSession, secret: string, now: number): boolean {
  if (matchesHash(secret, known.secretHash)) return true;
  const { previousHash, previousUntil } = known;
  return previousHash !== undefined && now < previousUntil && matchesHash(secret, previousHash);
}
