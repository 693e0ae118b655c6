import { FrameError } from "../../protocol/mod.ts";
import type { HistoryRequest } from "../../protocol/frames.ts";

/** Largest value of `limit`. */
const MAX_LIMIT = 500;

/** Longest epoch. */
const MAX_EPOCH_LENGTH = 64;

/**
 * Checks the data of a `history` frame.
 *
 * @throws {FrameError} `INVALID_MESSAGE`, with the issue.
 */
export function parseHistoryRequest(data: unknown, streams: readonly string[]): HistoryRequest {
  const { stream, epoch, after, before, limit } = toRecord(data);
  if (typeof stream !== "string" || !streams.includes(stream)) {
    throw invalid("data.stream", `Expected a stream of this consumer: ${streams.join(", ")}`);
  }
  if (epoch !== undefined && !(typeof epoch === "string" && epoch.length <= MAX_EPOCH_LENGTH)) {
    throw invalid("data.epoch", `Expected a string of at most ${MAX_EPOCH_LENGTH} characters`);
  }
  const isBoth = after !== undefined && before !== undefined;
  if (isBoth) throw invalid("data", "Expected at most one of after and before");
  return {
    stream,
    epoch,
    after: toInteger("data.after", after, 0, Number.MAX_SAFE_INTEGER),
    before: toInteger("data.before", before, 0, Number.MAX_SAFE_INTEGER),
    limit: toInteger("data.limit", limit, 1, MAX_LIMIT),
  };
}

function toRecord(data: unknown): Partial<Record<keyof HistoryRequest, unknown>> {
  if (typeof data === "object" && data !== null && !Array.isArray(data)) return data;
  throw invalid("data", "Expected an object");
}

function toInteger(path: string, value: unknown, min: number, max: number): number | undefined {
  if (value === undefined) return undefined;
  const isIn = typeof value === "number" && Number.isSafeInteger(value) && value >= min &&
    value <= max;
  if (isIn) return value;
  throw invalid(path, `Expected an integer from ${min} to ${max}`);
}

function invalid(path: string, message: string): FrameError {
  return new FrameError("INVALID_MESSAGE", "The data does not fit the message's type", {
    issues: [{ path, message }],
  });
}
