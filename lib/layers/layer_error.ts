/** What a channel layer can fail with. */
export type LayerErrorCode =
  | "CHANNEL_FULL"
  | "CLOSED"
  | "LIMIT_REACHED"
  | "MESSAGE_TOO_LARGE"
  | "UNAVAILABLE";

/** Thrown by channel layers. `CHANNEL_FULL` comes from `send()` only, never from `groupSend()`. */
export class LayerError extends Error {
  override readonly name = "LayerError";
  readonly code: LayerErrorCode;

  constructor(code: LayerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The error of whatever is asked of a layer after its `close()`. */
export function closedError(): LayerError {
  return new LayerError("CLOSED", "The channel layer is closed");
}
