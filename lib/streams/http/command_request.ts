import { FrameError } from "../../protocol/errors.ts";
import { type ClientFrame, parseClientFrame } from "../../protocol/frames.ts";

/** The statuses of refused commands; others are 400. */
const STATUS: Readonly<Record<string, number>> = {
  FORBIDDEN: 403,
  OUTCOME_UNKNOWN: 409,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
};

/**
 * Parses a command: `{ "type", "data" }`, with the header `Idempotency-Key` or the frame's `key`.
 *
 * @throws {FrameError} `INVALID_JSON` or `INVALID_MESSAGE`.
 */
export function parseCommand(headers: Headers, body: Uint8Array): ClientFrame {
  const type = (headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  if (type !== "application/json") {
    throw new FrameError("INVALID_MESSAGE", "The Content-Type of a command is application/json");
  }
  const frame = parseClientFrame(decode(body));
  const key = headers.get("idempotency-key");
  if (key === null || key === frame.key) return frame;
  if (frame.key !== undefined) {
    throw new FrameError("INVALID_MESSAGE", "The frame has another key than Idempotency-Key", {
      issues: [{ path: "key", message: "Expected the key of the header, or none" }],
    });
  }
  const { type: name, data, id } = frame;
  // The parser of frames checks the key.
  return parseClientFrame(JSON.stringify({ type: name, data, id, key }));
}

/** Returns the problem (RFC 9457) of a refused command. */
export function refusalBody(error: FrameError, status: number = STATUS[error.code] ?? 400) {
  const { code, message: detail, issues } = error;
  return { type: "about:blank", title: code, status, code, detail, issues };
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw new FrameError("INVALID_JSON", "The body is not UTF-8");
  }
}
