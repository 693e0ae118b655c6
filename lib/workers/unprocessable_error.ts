/**
 * Thrown for a message that will never succeed: it becomes a dead letter without further attempts.
 *
 * @example
 * ```ts
 * import { UnprocessableError } from "@sluice/sluice/workers";
 * import assert from "node:assert/strict";
 *
 * const error = new UnprocessableError("The image has no pixels");
 * assert.equal(error.name, "UnprocessableError");
 * ```
 */
export class UnprocessableError extends Error {
  /** Always `UnprocessableError`. */
  override readonly name = "UnprocessableError";
}
