import type { Log } from "../../core/log.ts";
import { stopListening } from "./deno_stop_listening.ts";
import { answerAndLeave, answerError, mayHaveBody, refusalOfRequest } from "../guarded_answer.ts";
import { consoleLog } from "../../core/log.ts";
import { problem } from "../problem.ts";
import { type ServeOptions, shutDown } from "../serve_options.ts";

/**
 * Serves until SIGTERM or SIGINT, then drains and exits with status 0. A second signal exits at once
 * with status 130.
 *
 * While it drains it keeps answering, so that new requests are refused with a reason. If it shares its
 * port, it stops listening instead, and the other processes take over.
 *
 * A malformed `Host` is answered with 400 before the handler is called. A `Refusal` thrown by the
 * handler becomes the response, for example from `readBody()`; any other error is logged and answered
 * with 500. Uncaught errors are logged and do not end the process. A body that the handler leaves
 * unread is not read.
 *
 * @throws {Deno.errors.AddrInUse} The port is in use.
 *
 * @example
 * ```ts
 * import { serve } from "@sluice/sluice/deno";
 * import assert from "node:assert/strict";
 *
 * const listening = Promise.withResolvers<number>();
 * await using _server = serve(() => new Response("hello"), {
 *   port: 0,
 *   onListen: ({ port }) => listening.resolve(port),
 * });
 * const response = await fetch(`http://127.0.0.1:${await listening.promise}/`);
 * assert.equal(await response.text(), "hello");
 * ```
 */
export function serve(
  handler: (request: Request, info: {
    /** Address of the peer. */
    readonly remoteAddr: {
      readonly hostname: string;
      readonly port: number;
      readonly transport: "tcp";
    };
    /** Resolves when the response was sent. */
    readonly completed: Promise<void>;
  }) => Response | Promise<Response>,
  options: ServeOptions = {},
): AsyncDisposable & {
  /** The address that the server listens on. */
  readonly addr: { readonly hostname: string; readonly port: number };
  /** Resolves when the server has closed. */
  readonly finished: Promise<void>;
  /** Stops listening, and closes the server after the responses in progress. */
  shutdown(): Promise<void>;
} {
  const { hostname = "127.0.0.1", port = 8000, reusePort = false, onListen } = options;
  const { log = consoleLog, publicUrl } = options;
  const site = { log, publicUrl };
  const server = Deno.serve(
    {
      hostname,
      port,
      reusePort,
      onError: (error) => answerError(error, log),
      ...(onListen && { onListen() {} }),
      automaticCompression: true,
    },
    (request, info) => {
      const refusal = refusalOfRequest(request.headers.get("host"), request.url, site);
      const answer = () =>
        refusal === undefined
          ? handler(request, info as Parameters<typeof handler>[1])
          : problem(refusal);
      return mayHaveBody(request) ? answerAndLeave(request, answer, log) : answer();
    },
  );
  guard(log);
  stopOnSignal(server, handler, options, log);
  // Called last, so that a signal sent in response finds its handler.
  onListen?.(server.addr);
  return server;
}

function stopOnSignal(
  server: ReturnType<typeof serve>,
  handler: object,
  options: ServeOptions,
  log: Log,
): void {
  let isStopping = false;
  let isSignalled = false;
  const stop = (why: string, isLeaving: boolean) => {
    if (isStopping) return;
    isStopping = true;
    log.info("Stopping", { signal: why });
    // Then the server finishes with an error, as expected.
    if (isLeaving) server.finished.catch(() => {});
    if (isLeaving) stopListening(server.addr.port);
    const close = () => server.shutdown();
    void shutDown(handler, options, close).finally(() => exit(0)).catch(() => {});
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      if (isSignalled) return exit(130);
      isSignalled = true;
      stop(signal, options.reusePort ?? false);
    });
  }
  options.signal?.addEventListener("abort", () => stop(String(options.signal?.reason), false));
}

/** Exits. Under `deno run --watch`, `Deno.exit()` throws instead, and Deno ends or restarts the program. */
function exit(code: number): void {
  try {
    Deno.exit(code);
  } catch {
    // Under --watch.
  }
}

function guard(log: Log): void {
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    log.error("Uncaught error", { error: event.error });
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("Unhandled promise rejection", { error: event.reason });
  });
}
