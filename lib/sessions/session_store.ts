import type { ControlLog } from "./revocation/control_log.ts";
import type { SessionEvent } from "./session.ts";
import type { SessionRecord } from "./session_record.ts";
import type { TagKeyStore } from "./tokens/tag_keys.ts";

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
export interface SessionStore extends TagKeyStore {
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
}

/** Compares two sessions for {@linkcode SessionStore.list}. */
export function byAge(a: SessionRecord, b: SessionRecord): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}
