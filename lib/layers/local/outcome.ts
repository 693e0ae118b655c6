import { LayerError } from "../layer_error.ts";

/** Runs `work`, and turns a thrown error into a rejection. */
export function attempt<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Settles as `work` does, or rejects with the reason of `signal` as soon as it aborts. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Returns the error of a `send()` that a channel refused. */
export function undelivered(channel: string, why: "full" | "limit"): LayerError {
  if (why === "full") {
    return new LayerError("CHANNEL_FULL", `Cannot send to "${channel}": the channel is full`);
  }
  return new LayerError(
    "LIMIT_REACHED",
    `Cannot send to "${channel}": too many bytes are waiting in this process`,
  );
}
