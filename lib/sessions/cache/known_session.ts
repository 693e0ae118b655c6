import { type Session, type SessionLifetime, toSession } from "../session.ts";
import type { SessionRecord, StoredSecrets } from "../session_store.ts";

/**
 * The data of a stored session that admits a connection. All connections of a session share the
 * same `session` object.
 */
export interface KnownSession {
  readonly session: Session;
  readonly secrets: StoredSecrets;
}

/** Converts a stored session. */
export function toKnown(record: SessionRecord, lifetime: SessionLifetime): KnownSession {
  const { secretHash, previousHash, previousUntil, renewalSalt, spentHashes } = record;
  const secrets = { secretHash, previousHash, previousUntil, renewalSalt, spentHashes };
  return { session: Object.freeze(toSession(record, lifetime)), secrets };
}
