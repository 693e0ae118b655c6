import type { ControlLog } from "./control_log.ts";
import type { SessionEvent, SessionKind } from "./session.ts";
import type { StoredTagKeys, TagKey } from "./tag_keys.ts";

/** What is stored of the secrets of a session. The secrets themselves are nowhere. */
export interface StoredSecrets {
  /** SHA-256 of the token's secret, in base64url. */
  readonly secretHash: string;
  /** When it got this secret; nothing where it began with it. In milliseconds since the epoch. */
  readonly secretSince?: number | undefined;
  /** The hash of the secret before, after a rotation. */
  readonly previousHash?: string | undefined;
  /**
   * Until when the secret before is good as well, in milliseconds since the epoch. Undefined: until the
   * new one was seen in a request.
   */
  readonly previousUntil?: number | undefined;
  /**
   * What the secret was derived with from the one before, until it was seen: it is derived again if the
   * answer with it was lost. Random, and of no use without the secret before.
   */
  readonly renewalSalt?: string | undefined;
  /** Hashes of secrets that a later one certainly replaced, the newest last. */
  readonly spentHashes?: readonly string[] | undefined;
}

/** A session as it is stored. */
export interface SessionRecord extends StoredSecrets {
  readonly id: string;
  readonly userId: string;
  readonly provider: string;
  /** Missing for a browser's. */
  readonly kind?: SessionKind | undefined;
  readonly createdAt: number;
  /** When the user proved who they are, if that was before the session began. */
  readonly signedInAt?: number | undefined;
  readonly lastSeenAt: number;
  readonly userAgent: string;
  readonly address: string | undefined;
  /** See {@linkcode Session}; missing for none. */
  readonly revocations?: number | undefined;
  /**
   * From when on the store may forget it, in milliseconds since the epoch: at least a day after its
   * end, so that an expired session can be told from one that never was.
   */
  readonly forgetAt: number;
}

/**
 * What other processes are told of a change: a store over which they follow a control log writes it
 * together with the change, both or neither.
 */
export type Announce = (record: SessionRecord) => SessionEvent;

/**
 * Where sessions are kept. It decides nothing: lifetimes and secrets are the business of
 * {@linkcode Sessions}.
 *
 * What is acknowledged is there for every reader of the same database. A method rejects where the
 * database cannot be reached; whether a write was done is not known then.
 */
export interface SessionStore {
  /**
   * Where it writes what is announced, if anywhere. What was read may be relied on for a moment by
   * those who follow that log.
   */
  readonly controlLog?: ControlLog | undefined;

  /**
   * Stores a new session, and puts it on its user's list: both or neither.
   *
   * @throws {Error} The id is taken.
   */
  create(record: SessionRecord): Promise<void>;

  /** Returns a session, also one that has expired, until it is forgotten. One read. */
  get(id: string): Promise<SessionRecord | undefined>;

  /** Returns several sessions, in the order of `ids`; undefined where there is none. */
  getMany(ids: readonly string[]): Promise<(SessionRecord | undefined)[]>;

  /**
   * Changes a session and returns it as it is then.
   *
   * Atomic: `change` sees the latest version, may be called again where another change came first,
   * and a session that was deleted is never brought back. Undefined where there is none, or where
   * `change` returned undefined, which changes nothing. `change` must keep `id` and `userId`; where
   * it returns what it was given, nothing is written.
   */
  update(
    id: string,
    change: (record: SessionRecord) => SessionRecord | undefined,
    announce?: Announce,
  ): Promise<SessionRecord | undefined>;

  /** Deletes a session and returns it. Of several deletions at once, one gets it. */
  delete(id: string, announce?: Announce): Promise<SessionRecord | undefined>;

  /** Returns the sessions of a user, oldest first. */
  list(userId: string): Promise<SessionRecord[]>;

  /**
   * Keeps the key of a period at least until `forgetAt`, in milliseconds since the epoch, unless there is
   * one; returns the secret of the one that is kept. Of all processes, one comes first.
   */
  addTagKey(key: TagKey, forgetAt: number): Promise<Uint8Array>;

  /** Returns all keys that are kept. */
  tagKeys(): Promise<StoredTagKeys>;
}

/** The order of {@linkcode SessionStore.list}. */
export function byAge(a: SessionRecord, b: SessionRecord): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}
