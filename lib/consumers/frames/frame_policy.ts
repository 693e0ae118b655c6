import { CloseCode, FrameError } from "../../protocol/mod.ts";
import { encodeRefusal } from "../../protocol/frames.ts";
import { INVALID_WINDOW_MS, MAX_INVALID_FRAMES } from "../../protocol/limits.ts";
import type { Connection } from "../../core/connection.ts";
import { SlidingCount } from "./sliding_count.ts";

/** Rate-limited frames within a minute before the socket is closed with 4429. */
const MAX_LIMITED_FRAMES = 100;

/** Refuses frames, and closes the socket of a client that keeps sending invalid ones. */
export class FramePolicy {
  readonly #connection: Connection;
  readonly #invalid = new SlidingCount(MAX_INVALID_FRAMES, INVALID_WINDOW_MS);
  readonly #limited = new SlidingCount(MAX_LIMITED_FRAMES, INVALID_WINDOW_MS);

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Answers a refused frame. */
  refuse(error: FrameError, id: string | undefined): void {
    this.#connection.sendFrame(encodeRefusal(error, error.id ?? id));
    if (!isInvalid(error)) return;
    if (this.#invalid.add(this.#connection.lastReceivedAt)) {
      this.#connection.end(CloseCode.tooManyInvalid, "too many invalid messages");
    }
  }

  /** Answers a frame over the rate limit. */
  limit(id: string | undefined): void {
    const error = new FrameError("RATE_LIMITED", "Too many messages: slow down");
    this.#connection.sendFrame(encodeRefusal(error, id));
    if (this.#limited.add(this.#connection.lastReceivedAt)) {
      this.#connection.end(CloseCode.tooFast, "sent too fast");
    }
  }
}

function isInvalid({ code }: FrameError): boolean {
  return code === "INVALID_JSON" || code === "INVALID_MESSAGE" || code === "UNKNOWN_TYPE";
}
