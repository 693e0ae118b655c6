/**
 * The rejection of a call to a stream store.
 *
 * @example
 * ```ts
 * import { StreamError } from "@sluice/sluice/streams";
 * import assert from "node:assert/strict";
 *
 * const error = new StreamError("LIMIT_REACHED", "1000 streams are open");
 * assert.equal(error.code, "LIMIT_REACHED");
 * ```
 */
export class StreamError extends Error {
  /** Distinguishes it from other errors. */
  override readonly name = "StreamError";
  /** Stable: branch on this, not on the message. */
  readonly code: "MESSAGE_TOO_LARGE" | "LIMIT_REACHED" | "UNAVAILABLE" | "CLOSED";

  /** Created by stores. */
  constructor(code: StreamError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Returns the error of a store that was closed. */
export function storeClosed(): StreamError {
  return new StreamError("CLOSED", "The stream store is closed");
}

/** Returns the error of a store whose database or server cannot be reached. */
export function storeUnavailable(cause?: unknown): StreamError {
  return new StreamError("UNAVAILABLE", "The stream store cannot be reached", { cause });
}
