/**
 * A security event. Holds no secret: no token, ticket, cookie, code or key.
 *
 * @internal
 */
export interface AuditEvent {
  /** What happened. */
  readonly kind:
    | "signed-in"
    | "sign-in-failed"
    | "session-ended"
    | "session-rotated"
    | "refused"
    | "user-banned"
    | "user-unbanned"
    | "user-removed"
    | "roles-changed";
  /** The user it is about; undefined if unknown. */
  readonly userId?: string | undefined;
  /** The session it is about. */
  readonly sessionId?: string | undefined;
  /** The user who did it, if it was someone else. */
  readonly by?: string | undefined;
  /** The reason: the code of a refusal or an error, or why a session ended. */
  readonly code?: string | undefined;
  /** The provider of the sign-in. */
  readonly provider?: string | undefined;
  /** The client's address. */
  readonly address?: string | undefined;
  /** The requested path, without the query. */
  readonly path?: string | undefined;
}

/** A security event with its time. */
export interface AuditEntry extends AuditEvent {
  /** In milliseconds since the epoch. */
  readonly at: number;
}
