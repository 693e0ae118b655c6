/** Why an entry of presence is refused. */
export type PresenceErrorCode = "ENTRY_TOO_LARGE" | "INVALID_ENTRY";

/** Thrown by `Presence` for an entry that other processes would not get as it is. */
export class PresenceError extends Error {
  override readonly name = "PresenceError";
  readonly code: PresenceErrorCode;

  constructor(code: PresenceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
