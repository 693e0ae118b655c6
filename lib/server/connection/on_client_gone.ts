import { clearImmediate, setImmediate } from "node:timers";

/**
 * Calls back when the client of a pending request disconnects. Returns a function that stops watching.
 *
 * Watching starts after one turn of the event loop, so an immediate response costs nothing: the
 * request's signal is created on first access, and Deno also aborts it, with a warning, after a
 * complete response.
 */
export function onClientGone(request: Request, callback: () => void): () => void {
  let signal: AbortSignal | undefined;
  const immediate = setImmediate(() => {
    signal = request.signal;
    if (signal.aborted) callback();
    else signal.addEventListener("abort", callback, { once: true });
  });
  return () => {
    clearImmediate(immediate);
    signal?.removeEventListener("abort", callback);
  };
}
