/** What a frame can be refused with. Stable: clients branch on it. */
export type FrameErrorCode =
  | "INVALID_JSON"
  | "INVALID_MESSAGE"
  | "UNKNOWN_TYPE"
  | "FORBIDDEN"
  | "RATE_LIMITED"
  | "UNAVAILABLE"
  | "INTERNAL";

/** One thing that is wrong with a message: where (`data.text`) and what. */
export interface Issue {
  /** Dotted path from the top of the frame; empty for the frame itself. */
  readonly path: string;
  readonly message: string;
}

/**
 * Thrown to refuse a frame: by the parsers here, and by a handler that wants its caller to know why.
 *
 * The socket stays open; the peer gets `code`, `message` and `issues`.
 *
 * *Security*: the message is sent to the peer as it is. Put nothing into it that the peer may not
 * know.
 */
export class FrameError extends Error {
  override readonly name = "FrameError";
  readonly code: FrameErrorCode;
  readonly issues: readonly Issue[] | undefined;
  /** The `id` of the refused frame, where it could be read. */
  readonly id: string | undefined;

  constructor(
    code: FrameErrorCode,
    message: string,
    options: { issues?: readonly Issue[] | undefined; id?: string | undefined } = {},
  ) {
    super(message);
    this.code = code;
    this.issues = options.issues;
    this.id = options.id;
  }
}
