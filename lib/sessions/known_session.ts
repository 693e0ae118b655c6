import { type Session, type SessionLifetime, toSession } from "./session.ts";
import type { SessionRecord, StoredSecrets } from "./session_store.ts";

/**
 * What has to be known of a stored session to let somebody in with it. Of many connections of it all
 * have the same `session`.
 */
export interface KnownSession {
  readonly session: Session;
  readonly secrets: StoredSecrets;
}

/** Returns what has to be known of a stored session. */
export function toKnown(record: SessionRecord, lifetime: SessionLifetime): KnownSession {
  const { secretHash, previousHash, previousUntil, renewalSalt, spentHashes } = record;
  const secrets = { secretHash, previousHash, previousUntil, renewalSalt, spentHashes };
  return { session: Object.freeze(toSession(record, lifetime)), secrets };
}
