import type { FrameError } from "../protocol/mod.ts";
import type { Issue } from "../protocol/errors.ts";

/**
 * The rejection of a failed request or message.
 *
 * @example
 * ```ts
 * import { RequestError } from "@sluice/sluice/client";
 * import assert from "node:assert/strict";
 *
 * const error = new RequestError("TIMEOUT", "No reply within 10 s", { sent: true });
 * assert.ok(error.sent && error.code === "TIMEOUT"); // it may have taken effect
 * ```
 */
export class RequestError extends Error {
  /** Distinguishes it from other errors, even across copies of this module. */
  override readonly name = "RequestError";
  /**
   * Why a request has no reply. In addition to the codes of a refusal by the server:
   *
   * - `TIMEOUT`: the reply did not arrive in time;
   * - `DISCONNECTED`: the connection was lost before the reply arrived;
   * - `CLOSED`: the socket is closed, signed out or refused, and does not reconnect by itself;
   * - `QUEUE_FULL`: too many messages are already queued for a connection;
   * - `IDENTITY_CHANGED`: the message was queued for one user and the connection is another's; it was
   * not sent;
   * - `ABORTED`: the caller's `signal` was aborted.
   *
   * Stable: branch on this, not on the message.
   */
  readonly code:
    | FrameError["code"]
    | "TIMEOUT"
    | "DISCONNECTED"
    | "CLOSED"
    | "QUEUE_FULL"
    | "IDENTITY_CHANGED"
    | "ABORTED";
  /** Problems in the data that the server's schema reported. */
  readonly issues: NonNullable<FrameError["issues"]>;
  /**
   * Whether the message was handed to a connection. If so, and the code is `TIMEOUT`, `DISCONNECTED`,
   * `CLOSED` or `ABORTED`, it may or may not have taken effect. If not, it never had and never will
   * have an effect.
   */
  readonly sent: boolean;

  /** Created by the client; public for tests of error handling. */
  constructor(
    code: RequestError["code"],
    message: string,
    options: { issues?: readonly Issue[] | undefined; sent?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.issues = options.issues ?? [];
    this.sent = options.sent ?? false;
  }
}
