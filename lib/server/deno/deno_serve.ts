import { Refusal } from "../../protocol/mod.ts";
import type { Log } from "../../core/log.ts";
import { stopListening } from "./deno_stop_listening.ts";
import { isHost } from "../host.ts";
import { consoleLog } from "../log.ts";
import { refusalOfHost } from "../peer.ts";
import { problem } from "../problem.ts";

/** Options of {@linkcode serve}. */
export interface ServeOptions {
  /** @default {"127.0.0.1"} */
  readonly hostname?: string;
  /** 0 selects a free port. @default {8000} */
  readonly port?: number;
  /**
   * Whether other processes may share the port. If so, a signal stops listening at once.
   * @default {false}
   */
  readonly reusePort?: boolean;
  /** Stops like a signal but keeps listening: for when all processes that share the port stop. */
  readonly signal?: AbortSignal;
  readonly onListen?: (address: Deno.NetAddr) => void;
  /** Ends open connections when the server stops: see `Handler.drain()`. */
  readonly drain?: () => Promise<void>;
  /** How long `drain` may take, in milliseconds. @default {10_000} */
  readonly drainMs?: number;
  /** Releases everything else after the last response. */
  readonly close?: () => Promise<void>;
  readonly log?: Log;
}

/** Time limit of each step apart from the drain, in milliseconds. */
const CLOSE_MS = 1_500;

/**
 * Serves until SIGTERM or SIGINT, then drains and exits with status 0. A second signal exits at once
 * with status 130.
 *
 * While it drains it keeps answering, so that new requests are refused with a reason. If it shares its
 * port, it stops listening instead, and the other processes take over.
 *
 * A malformed `Host` is answered with 400 before the handler is called. A `Refusal` thrown by the
 * handler becomes the response, for example from `readBody()`; any other error is logged and answered
 * with 500. Uncaught errors are logged and do not end the process.
 *
 * @throws {Deno.errors.AddrInUse} The port is in use.
 */
export function serve(
  handler: Deno.ServeHandler<Deno.NetAddr>,
  options: ServeOptions = {},
): Deno.HttpServer<Deno.NetAddr> {
  const { hostname = "127.0.0.1", port = 8000, reusePort = false, onListen, log = consoleLog } =
    options;
  const onError = (error: unknown) => {
    if (error instanceof Refusal) return problem(error);
    log.error("A request failed", { error });
    return problem(Refusal.of("INTERNAL"));
  };
  const server = Deno.serve(
    {
      hostname,
      port,
      reusePort,
      onError,
      ...(onListen && { onListen() {} }),
      automaticCompression: true,
    },
    (request, info) => {
      const refusal = refusalOf(request, log);
      return refusal === undefined ? handler(request, info) : problem(refusal);
    },
  );
  guard(log);
  stopOnSignal(server, options, log);
  // Called last, so that a signal sent in response finds its handler.
  onListen?.(server.addr);
  return server;
}

/** Refuses requests that no handler can rely on: a malformed host, or an https URL over plain http. */
function refusalOf(request: Request, log: Log): Refusal | undefined {
  const host = request.headers.get("host");
  if (host !== null && !isHost(host)) return refusalOfHost(host, log);
  // An absolute-form request target (RFC 9110 §7.4): its scheme would be mistaken for the site's own.
  return /^https:/i.test(request.url)
    ? new Refusal("MISDIRECTED", { status: 421, detail: HTTPS })
    : undefined;
}

const HTTPS = "The URL is https but the connection is not";

function stopOnSignal(
  server: Deno.HttpServer<Deno.NetAddr>,
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
    void shutDown(server, options).finally(() => Deno.exit(0)).catch(() => {});
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      if (isSignalled) Deno.exit(130);
      isSignalled = true;
      stop(signal, options.reusePort ?? false);
    });
  }
  options.signal?.addEventListener("abort", () => stop(String(options.signal?.reason), false));
}

async function shutDown(server: Deno.HttpServer, options: ServeOptions): Promise<void> {
  await within((options.drainMs ?? 10_000) + CLOSE_MS, options.drain?.());
  await within(CLOSE_MS, server.shutdown());
  await within(CLOSE_MS, options.close?.());
}

/** Waits at most `ms` for work that may hang or fail. */
function within(ms: number, work: Promise<void> | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    (work ?? Promise.resolve()).then(done, done);
  });
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
