import type { FrameErrorCode, Issue } from "../protocol/mod.ts";

/**
 * Why a request has no reply. Beside the codes of a refusal by the server:
 *
 * - `TIMEOUT`: no reply came in time;
 * - `DISCONNECTED`: the connection was lost before the reply came;
 * - `CLOSED`: the socket is closed, signed out or refused, and does not come back by itself;
 * - `QUEUE_FULL`: too many messages wait for the connection already;
 * - `IDENTITY_CHANGED`: it waited for a connection, and that is another user's: it was not sent;
 * - `ABORTED`: the caller's `signal` was aborted.
 */
export type RequestErrorCode =
  | FrameErrorCode
  | "TIMEOUT"
  | "DISCONNECTED"
  | "CLOSED"
  | "QUEUE_FULL"
  | "IDENTITY_CHANGED"
  | "ABORTED";

/** What a failed request or message is rejected with. */
export class RequestError extends Error {
  /** Tells it from other errors, also across copies of this module. */
  override readonly name = "RequestError";
  /** Stable: branch on it, not on the message. */
  readonly code: RequestErrorCode;
  /** What is wrong with the data, where the server's schema said so. */
  readonly issues: readonly Issue[];
  /**
   * Whether the message had been handed to a connection. If so, and the code is `TIMEOUT`,
   * `DISCONNECTED`, `CLOSED` or `ABORTED`, it may or may not have had its effect. If not, it had none
   * and never will.
   */
  readonly sent: boolean;

  /** Made by the client; for tests of what handles it. */
  constructor(
    code: RequestErrorCode,
    message: string,
    options: { issues?: readonly Issue[] | undefined; sent?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.issues = options.issues ?? [];
    this.sent = options.sent ?? false;
  }
}
