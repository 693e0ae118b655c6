/**
 * Thrown by `Presence` for an entry that would not reach other processes unchanged.
 *
 * @example
 * ```ts
 * import { PresenceError } from "@sluice/sluice/presence";
 * import assert from "node:assert/strict";
 *
 * assert.equal(new PresenceError("ENTRY_TOO_LARGE", "5000 bytes, at most 4096").name, "PresenceError");
 * ```
 */
export class PresenceError extends Error {
  /** Always `PresenceError`. */
  override readonly name = "PresenceError";
  /** Why the call was refused. */
  readonly code: "ENTRY_TOO_LARGE" | "INVALID_ENTRY";

  /** Creates an error with a code and a message. */
  constructor(code: PresenceError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
