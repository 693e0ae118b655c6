import type { ControlLog } from "./revocation/control_log.ts";
import type { SessionEvent, SessionKind } from "./session.ts";
import type { StoredTagKeys, TagKey } from "./tokens/tag_keys.ts";

/** The stored data of a session's secrets. The secrets themselves are not stored. */
export interface StoredSecrets {
  /** SHA-256 of the token's secret, in base64url. */
  readonly secretHash: string;
  /** When it got this secret, in milliseconds since the epoch; undefined for its first secret. */
  readonly secretSince?: number | undefined;
  /** The hash of the previous secret, after a rotation. */
  readonly previousHash?: string | undefined;
  /**
   * Until when the previous secret is valid too, in milliseconds since the epoch. Undefined: until
   * a request uses the new one.
   */
  readonly previousUntil?: number | undefined;
  /**
   * The salt that derived the secret from the previous one; kept until the new secret is seen, to
   * derive it again if the response was lost. Random, and useless without the previous secret.
   */
  readonly renewalSalt?: string | undefined;
  /** Hashes of secrets that are certainly replaced, newest last. */
  readonly spentHashes?: readonly string[] | undefined;
}

/** A stored session. */
export interface SessionRecord extends StoredSecrets {
  readonly id: string;
  readonly userId: string;
  readonly provider: string;
  /** Undefined for a browser's. */
  readonly kind?: SessionKind | undefined;
  readonly createdAt: number;
  /** When the user authenticated, if that was before the session began. */
  readonly signedInAt?: number | undefined;
  readonly lastSeenAt: number;
  readonly userAgent: string;
  readonly address: string | undefined;
  /** See {@linkcode Session}; undefined for 0. */
  readonly revocations?: number | undefined;
  /**
   * When the store may delete it, in milliseconds since the epoch: at least a day after its end, so
   * that an expired session is not mistaken for an unknown one.
   */
  readonly forgetAt: number;
}

/**
 * Returns the event that describes a change. A store with a control log writes the event together
 * with the change, both or neither.
 */
export type Announce = (record: SessionRecord) => SessionEvent;

/**
 * Stores sessions. It has no rules: {@linkcode Sessions} handles lifetimes and secrets.
 *
 * An acknowledged write is visible to every reader of the same database. A method rejects if the
 * database cannot be reached; a write may have succeeded anyway.
 */
export interface SessionStore {
  /**
   * The control log that the store writes announced events to, if any. Processes that follow this
   * log may cache reads for a moment.
   */
  readonly controlLog?: ControlLog | undefined;

  /**
   * Stores a new session and adds it to its user's list: both or neither.
   *
   * @throws {Error} The id is taken.
   */
  create(record: SessionRecord): Promise<void>;

  /** Returns a session, even an expired one, until it is deleted. One read. */
  get(id: string): Promise<SessionRecord | undefined>;

  /** Returns several sessions, in the order of `ids`; undefined for unknown ids. */
  getMany(ids: readonly string[]): Promise<(SessionRecord | undefined)[]>;

  /**
   * Changes a session and returns the result.
   *
   * Atomic: `change` sees the latest version, may be called again after a conflict, and never
   * restores a deleted session. Returns undefined for an unknown id, or if `change` returned
   * undefined, which changes nothing. `change` must keep `id` and `userId`; if it returns its
   * argument, nothing is written.
   */
  update(
    id: string,
    change: (record: SessionRecord) => SessionRecord | undefined,
    announce?: Announce,
  ): Promise<SessionRecord | undefined>;

  /** Deletes a session and returns it. Of several concurrent deletions, one gets it. */
  delete(id: string, announce?: Announce): Promise<SessionRecord | undefined>;

  /** Returns the sessions of a user, oldest first. */
  list(userId: string): Promise<SessionRecord[]>;

  /**
   * Stores the key of a period, unless the period has one, at least until `forgetAt`, in
   * milliseconds since the epoch. Returns the secret of the stored key: the first process wins.
   */
  addTagKey(key: TagKey, forgetAt: number): Promise<Uint8Array>;

  /** Returns all stored keys. */
  tagKeys(): Promise<StoredTagKeys>;
}

/** Compares two sessions for {@linkcode SessionStore.list}. */
export function byAge(a: SessionRecord, b: SessionRecord): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}
