import type { ControlLog } from "./revocation/control_log.ts";
import type { SessionEvent } from "./session.ts";
import type { SessionRecord } from "./session_record.ts";

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
   * Changes a session and returns the result. `announce` returns the event that describes the change;
   * a store with a control log writes the event together with the change, both or neither.
   *
   * Atomic: `change` sees the latest version, may be called again after a conflict, and never
   * restores a deleted session. Returns undefined for an unknown id, or if `change` returned
   * undefined, which changes nothing. `change` must keep `id` and `userId`; if it returns its
   * argument, nothing is written.
   */
  update(
    id: string,
    change: (record: SessionRecord) => SessionRecord | undefined,
    announce?: (record: SessionRecord) => SessionEvent,
  ): Promise<SessionRecord | undefined>;

  /** Deletes a session and returns it. Of several concurrent deletions, one gets it. */
  delete(
    id: string,
    announce?: (record: SessionRecord) => SessionEvent,
  ): Promise<SessionRecord | undefined>;

  /** Returns the sessions of a user, oldest first. */
  list(userId: string): Promise<SessionRecord[]>;

  /**
   * Stores the key of a period, unless the period has one, at least until `forgetAt`, in
   * milliseconds since the epoch. Returns the secret of the stored key: the first process wins.
   */
  addTagKey(key: {
    /** The day that it is for, counted from the epoch; not a secret. */
    readonly period: number;
    /** *Security*: it allows forging tokens that cost a read each. Never log it. */
    readonly secret: Uint8Array;
  }, forgetAt: number): Promise<Uint8Array>;

  /** Returns all stored keys. */
  tagKeys(): Promise<{
    /** The keys, in any order. */
    readonly keys: readonly Parameters<SessionStore["addTagKey"]>[0][];
    /**
     * When the first key was created, in milliseconds since the epoch, if the store already had
     * sessions: their tokens have no tag.
     */
    readonly untaggedSince: number | undefined;
  }>;
}

/** Compares two sessions for {@linkcode SessionStore.list}. */
export function byAge(a: SessionRecord, b: SessionRecord): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}
