/**
 * A failed use of a database.
 *
 * - `UNAVAILABLE`: the database cannot be reached, stayed locked, has no space, or did not answer in
 *   time. A write may have happened, or may still happen.
 * - `CLOSED`: it was used after `close()`.
 *
 * @example
 * ```ts
 * import { KeyValueError, MemoryKeyValue } from "@sluice/sluice/kv";
 * import assert from "node:assert/strict";
 *
 * const kv = new MemoryKeyValue();
 * await kv.close();
 * await assert.rejects(kv.get(["a"]), (error: KeyValueError) => error.code === "CLOSED");
 * ```
 */
export class KeyValueError extends Error {
  /** The name of the class. */
  override readonly name = "KeyValueError";
  /** Why the use failed. */
  readonly code: "UNAVAILABLE" | "CLOSED";

  /** Creates an error. The message contains no secrets; the cause may. */
  constructor(code: KeyValueError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Returns the error of a use after `close()`. */
export function closedError(): KeyValueError {
  return new KeyValueError("CLOSED", "Cannot use the database: it was closed");
}
