/** What happened, of what matters to security. */
export type AuditKind =
  | "signed-in"
  | "sign-in-failed"
  | "session-ended"
  | "session-rotated"
  | "refused"
  | "user-banned"
  | "user-unbanned"
  | "user-removed"
  | "roles-changed";

/** One thing that happened. Holds no secret: no token, ticket, cookie, code or key. */
export interface AuditEvent {
  readonly kind: AuditKind;
  /** Whom it is about; undefined if that is not known. */
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  /** Who did it, where that is somebody else. */
  readonly by?: string | undefined;
  /** Why: a refusal's or an error's code, or the reason of an end. */
  readonly code?: string | undefined;
  readonly provider?: string | undefined;
  readonly address?: string | undefined;
  /** What was asked for, without its query. */
  readonly path?: string | undefined;
}

/** One thing that happened, and when. */
export interface AuditEntry extends AuditEvent {
  /** In milliseconds since the epoch. */
  readonly at: number;
}

/** Where {@linkcode AuditEvent}s are kept. */
export interface AuditStore {
  /**
   * Keeps an entry, and resolves to true. With a name, one entry alone is kept of that name, whichever
   * process adds it first; false says that it was there.
   *
   * Rejects where the database cannot be reached.
   */
  add(entry: AuditEntry, options?: { once?: string | undefined }): Promise<boolean>;
  /**
   * Returns what happened to a person, the newest first. @default limit {100}
   *
   * The order is that of `at`. Entries of the same millisecond are in the order in which `add()` was
   * called within one process, and over several processes in the order in which they were stored.
   */
  list(userId: string, options?: { limit?: number }): Promise<AuditEntry[]>;
}
