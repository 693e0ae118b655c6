import { Refusal } from "../protocol/mod.ts";
import type { Log } from "../scope.ts";
import { stopListening } from "./deno_stop_listening.ts";
import { isHost } from "./host.ts";
import { consoleLog } from "./log.ts";
import { refusalOfHost } from "./peer.ts";
import { problem } from "./problem.ts";

/** Options of {@linkcode serve}. */
export interface ServeOptions {
  /** @default {"127.0.0.1"} */
  readonly hostname?: string;
  /** 0 takes a free one. @default {8000} */
  readonly port?: number;
  /** Whether other processes may listen there too; then a signal leaves the port to them at once. @default {false} */
  readonly reusePort?: boolean;
  /** Stops as a signal does, but leaves the port to nobody: where all that share it stop. */
  readonly signal?: AbortSignal;
  readonly onListen?: (address: Deno.NetAddr) => void;
  /** Ends what is open, when the server is told to stop: see `Handler.drain()`. */
  readonly drain?: () => Promise<void>;
  /** How long `drain` may take, in milliseconds. @default {10_000} */
  readonly drainMs?: number;
  /** Lets go of the rest, after the last answer. */
  readonly close?: () => Promise<void>;
  readonly log?: Log;
}

/** How long each step after the drain's own time may take, in milliseconds. */
const CLOSE_MS = 1_500;

/**
 * Serves until the process is told to stop by SIGTERM or SIGINT: drains then, and ends the process
 * with status 0. A second one of these signals ends it at once, with status 130.
 *
 * While it drains it still answers, so that whoever comes is told so; but where it shares its port it
 * listens no more, and the others take what comes.
 *
 * A malformed `Host` is answered with 400 before the handler is called. A `Refusal` that the handler throws
 * is the answer, as of `readBody()`; any other error is logged and answered with 500. An error that
 * nobody caught is logged, and does not end the process.
 *
 * @throws {Deno.errors.AddrInUse} The port is taken.
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
  stopWhenTold(server, options, log);
  // Last, so that a signal which is sent because of it finds its handler.
  onListen?.(server.addr);
  return server;
}

/** Refuses what no handler can rely on: a malformed host, and an https address over plain http. */
function refusalOf(request: Request, log: Log): Refusal | undefined {
  const host = request.headers.get("host");
  if (host !== null && !isHost(host)) return refusalOfHost(host, log);
  // The whole address as request target (RFC 9110 §7.4): its scheme would be taken for the site's own.
  return /^https:/i.test(request.url)
    ? new Refusal("MISDIRECTED", { status: 421, detail: HTTPS })
    : undefined;
}

const HTTPS = "The address is https, and the connection is not";

function stopWhenTold(
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
    // It is over then with an error, which is expected.
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

/** Waits for work that may never end, or fail, but no longer than `ms`. */
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
    log.error("Nobody caught an error", { error: event.error });
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("Nobody caught a rejection", { error: event.reason });
  });
}
