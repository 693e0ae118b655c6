import { LayerError } from "./layer_error.ts";

/** Does `work`; what it throws becomes a rejection. */
export function attempt<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The error of a `send()` whose message a channel did not take. */
export function undelivered(channel: string, why: "full" | "limit"): LayerError {
  if (why === "full") {
    return new LayerError("CHANNEL_FULL", `Cannot send to "${channel}": it takes no more messages`);
  }
  return new LayerError(
    "LIMIT_REACHED",
    `Cannot send to "${channel}": too many bytes wait in this process`,
  );
}
