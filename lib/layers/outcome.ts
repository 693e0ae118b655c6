import { LayerError } from "./layer_error.ts";

/** Does `work`; what it throws becomes a rejection. */
export function attempt<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Settles as `work` does, or rejects as soon as `signal` aborts, with its reason. */
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
