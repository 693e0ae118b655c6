import { StopConsumer } from "../../core/consumer.ts";
import type { Scope } from "../../core/scope.ts";
import { FrameError } from "../../protocol/mod.ts";
import { isUnavailable } from "../streams/consumer_streams.ts";

/**
 * Returns the refusal of a frame whose handler threw.
 *
 * *Security*: of unexpected errors, only the code is sent to the peer.
 */
export function toFrameError(error: unknown, scope: Scope): FrameError {
  if (error instanceof FrameError) return error;
  if (isUnavailable(error)) {
    return new FrameError("UNAVAILABLE", "A required service is unavailable");
  }
  if (error instanceof StopConsumer) {
    return new FrameError("OUTCOME_UNKNOWN", "The handler was stopped before its end");
  }
  const { log, id } = scope.connection;
  log.error("Handler failed", { connection: id, path: scope.path, error });
  return new FrameError("INTERNAL", "Something went wrong on the server");
}
