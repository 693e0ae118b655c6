import { answerError, refusalOfRequest } from "../guarded_answer.ts";
import { consoleLog } from "../../core/log.ts";
import { handleProcessEvents } from "../node/process_events.ts";
import { problem } from "../problem.ts";
import { type ServeHandler, type ServeOptions, shutDown } from "../serve_options.ts";
import { type BunNativeServer, serveNatively } from "./bun_global.ts";
import { type BunSocket, BunUpgrade } from "./bun_socket.ts";

/** How long an idle connection stays open, in seconds: longer than any answer of Sluice takes. */
const HTTP_IDLE_SECONDS = 120;

/** How long a silent peer of a socket is awaited, in seconds; Bun pings it meanwhile. */
const SOCKET_IDLE_SECONDS = 30;

/**
 * Serves on Bun until SIGTERM or SIGINT, then drains and exits with status 0. A second signal exits at
 * once with status 130.
 *
 * While it drains it keeps answering, so that new requests are refused with a reason.
 *
 * A malformed `Host` is answered with 400 before the handler is called. A `Refusal` thrown by the
 * handler becomes the response, for example from `readBody()`; any other error is logged and answered
 * with 500. Uncaught errors are logged and do not end the process.
 *
 * @throws {TypeError} The runtime is not Bun.
 * @throws {Error} The port is in use.
 *
 * @example
 * ```ts
 * import { serve } from "@sluice/sluice/bun";
 * import assert from "node:assert/strict";
 *
 * assert.throws(() => serve(() => new Response("hello")), /needs Bun/);
 * ```
 */
export function serve(
  handler: (request: Request, info: {
    /** Address of the peer. */
    readonly remoteAddr: { readonly hostname: string; readonly port: number };
  }) => Response | Promise<Response>,
  options: ServeOptions & {
    /**
     * Largest message that Bun keeps in memory, in bytes; a larger one closes its socket with 1009
     * while it arrives. The handler's own `maxMessageBytes` holds for complete messages.
     * @default {1_048_576}
     */
    readonly maxPayloadBytes?: number | undefined;
  } = {},
): AsyncDisposable & {
  /** The address that the server listens on. */
  readonly addr: { readonly hostname: string; readonly port: number };
  /** Resolves when the server has closed. */
  readonly finished: Promise<void>;
  /** Drains the server, stops listening, and closes it after the responses in progress. */
  shutdown(): Promise<void>;
} {
  const { hostname = "127.0.0.1", port = 8000, reusePort = false, log = consoleLog } = options;
  const site = { log, publicUrl: options.publicUrl };
  const answer = async (request: Request, native: BunNativeServer<BunSocket>) => {
    const refusal = refusalOfRequest(request.headers.get("host"), request.url, site);
    if (refusal !== undefined) return problem(refusal);
    const transport = new BunUpgrade(native);
    const { address = "unknown", port = 0 } = native.requestIP(request) ?? {};
    const remoteAddr = { hostname: address, port };
    try {
      const response = await (handler as ServeHandler)(request, { remoteAddr, transport });
      return transport.isUpgraded ? undefined : response;
    } catch (error) {
      return answerError(error, log);
    }
  };
  const server = serveNatively<BunSocket>({
    hostname,
    port,
    reusePort,
    idleTimeout: HTTP_IDLE_SECONDS,
    fetch: answer,
    websocket: {
      maxPayloadLength: options.maxPayloadBytes ?? 1_048_576,
      idleTimeout: SOCKET_IDLE_SECONDS,
      sendPings: true,
      perMessageDeflate: false,
      open: (socket) => socket.data.opened(socket),
      message: (socket, data) => socket.data.received(data),
      close: (socket, code, reason) => socket.data.closed(code, reason),
    },
  });
  const finished = Promise.withResolvers<void>();
  const close = () => server.stop(true);
  let stopping: Promise<void> | undefined;
  const stop = () => stopping ??= shutDown(handler, options, close).then(finished.resolve);
  const stopListening = () => void server.stop(false).catch(() => {});
  const forget = handleProcessEvents({ stop, stopListening }, options, log);
  const shutdown = async () => {
    await stop();
    forget();
  };
  const addr = { hostname: server.hostname, port: server.port };
  options.onListen?.(addr);
  return { addr, finished: finished.promise, shutdown, [Symbol.asyncDispose]: shutdown };
}
