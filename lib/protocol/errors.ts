/** One problem in a message. */
export type Issue = NonNullable<FrameError["issues"]>[number];

/**
 * Thrown to refuse a frame: by the parsers of this module, or by a handler that gives a reason.
 *
 * The socket stays open; the peer receives `code`, `message` and `issues`.
 *
 * *Security*: the message is sent to the peer as it is. Do not include anything that the peer may not
 * know.
 *
 * @example
 * ```ts
 * import { FrameError } from "@sluice/sluice";
 * import assert from "node:assert/strict";
 *
 * const error = new FrameError("FORBIDDEN", "Only moderators may mute");
 * assert.equal(error.code, "FORBIDDEN");
 * ```
 */
export class FrameError extends Error {
  /** Always `FrameError`. */
  override readonly name = "FrameError";
  /** Why the frame was refused. */
  readonly code:
    | "INVALID_JSON"
    | "INVALID_MESSAGE"
    | "UNKNOWN_TYPE"
    | "FORBIDDEN"
    | "RATE_LIMITED"
    | "UNAVAILABLE"
    | "OUTCOME_UNKNOWN"
    | "INTERNAL";
  /** The problems of the data, if its schema reported any. */
  readonly issues:
    | readonly {
      /** Dotted path from the top of the frame, such as `data.text`; empty for the frame itself. */
      readonly path: string;
      /** What is wrong, for people. */
      readonly message: string;
    }[]
    | undefined;
  /** The `id` of the refused frame, if it could be read. */
  readonly id: string | undefined;

  /** Creates the refusal of a frame. */
  constructor(
    code: FrameError["code"],
    message: string,
    options: { issues?: readonly Issue[] | undefined; id?: string | undefined } = {},
  ) {
    super(message);
    this.code = code;
    this.issues = options.issues;
    this.id = options.id;
  }
}
