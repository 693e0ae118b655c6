import type { AcceptOptions } from "../core/connection.ts";

/**
 * Thrown inside `connect()` to accept the client, from any call depth. To refuse it, throw a
 * `Refusal`.
 *
 * @example
 * ```ts
 * import { Consumer } from "@sluice/sluice";
 * import { AcceptConnection } from "@sluice/sluice/consumers";
 * import { communicate } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * class Open extends Consumer {
 *   override connect(): void {
 *     throw new AcceptConnection();
 *   }
 * }
 *
 * assert.equal((await communicate(Open).connect()).accepted, true);
 * ```
 */
export class AcceptConnection extends Error {
  /** Always `AcceptConnection`. */
  override readonly name = "AcceptConnection";
  /** How the connection is accepted. */
  readonly options: AcceptOptions;

  /** Creates the signal with the options of `accept()`. */
  constructor(options: AcceptOptions = {}) {
    super("The connection is accepted");
    this.options = options;
  }
}
