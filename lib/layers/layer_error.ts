/**
 * Thrown by channel layers. Only `send()` throws `CHANNEL_FULL`, `groupSend()` never does.
 *
 * @example
 * ```ts
 * import { MemoryChannelLayer } from "@sluice/sluice";
 * import { LayerError } from "@sluice/sluice/layers";
 * import assert from "node:assert/strict";
 *
 * const layer = new MemoryChannelLayer();
 * await layer.close();
 * const isClosed = (error: unknown) => error instanceof LayerError && error.code === "CLOSED";
 * await assert.rejects(layer.send("jobs", { type: "resize" }), isClosed);
 * ```
 */
export class LayerError extends Error {
  /** Always `LayerError`. */
  override readonly name = "LayerError";
  /** Why the call failed. */
  readonly code:
    | "CHANNEL_FULL"
    | "CLOSED"
    | "LIMIT_REACHED"
    | "MESSAGE_TOO_LARGE"
    | "UNAVAILABLE";

  /** Creates an error with a code and a message. */
  constructor(code: LayerError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Returns the error of calls after `close()`. */
export function closedError(): LayerError {
  return new LayerError("CLOSED", "The channel layer is closed");
}

/**
 * Checks the outcome of a `send()` to one channel.
 *
 * @throws {LayerError} `CHANNEL_FULL`, or `LIMIT_REACHED`.
 */
export function assertTaken(channel: string, outcome: string): void {
  if (outcome === "full") {
    throw new LayerError("CHANNEL_FULL", `Cannot send to "${channel}": the channel is full`);
  }
  if (outcome === "limit") {
    throw new LayerError(
      "LIMIT_REACHED",
      `Cannot send to "${channel}": too many bytes are waiting in this process`,
    );
  }
}
