import { clearImmediate, setImmediate } from "node:timers";

/**
 * Calls back when the client of a request that waits for its answer goes away. Returns how to stop.
 *
 * It begins to look after one turn of the event loop, so that an answer which comes at once costs
 * nothing: the signal of a request is made when it is first asked for, and Deno aborts it after a
 * whole answer too, with a warning.
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
