/** Why a presence entry is refused. */
export type PresenceErrorCode = "ENTRY_TOO_LARGE" | "INVALID_ENTRY";

/** Thrown by `Presence` for an entry that would not reach other processes unchanged. */
export class PresenceError extends Error {
  override readonly name = "PresenceError";
  readonly code: PresenceErrorCode;

  constructor(code: PresenceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
