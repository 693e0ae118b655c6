import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { consoleLog } from "../../core/log.ts";
import {
  type NetAddress,
  type ServeHandler,
  type ServeOptions,
  shutDown,
} from "../serve_options.ts";
import { attach } from "./attach.ts";
import { handleProcessEvents } from "./process_events.ts";

/**
 * Serves on Node until SIGTERM or SIGINT, then drains and exits with status 0. A second signal exits at
 * once with status 130. Needs the package `ws`.
 *
 * While it drains it keeps answering, so that new requests are refused with a reason. If it shares its
 * port, it stops listening instead, and the other processes take over.
 *
 * A malformed `Host` is answered with 400 before the handler is called. A `Refusal` thrown by the
 * handler becomes the response, for example from `readBody()`; any other error is logged and answered
 * with 500. Uncaught errors are logged and do not end the process. If it cannot listen, it logs why and
 * sets the exit status to 1.
 *
 * @example
 * ```ts
 * import { serve } from "@sluice/sluice/node";
 * import assert from "node:assert/strict";
 *
 * await using server = serve(() => new Response("hello"), { port: 0, onListen() {} });
 * const { port } = await server.listening;
 * assert.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), "hello");
 * ```
 */
export function serve(
  handler: (request: Request, info: {
    /** Address of the peer. */
    readonly remoteAddr: { readonly hostname: string; readonly port: number };
  }) => Response | Promise<Response>,
  options: ServeOptions = {},
): AsyncDisposable & {
  /** The server of `node:http`. */
  readonly server: Server;
  /** Resolves with the address once the server listens; rejects if it cannot. */
  readonly listening: Promise<{ readonly hostname: string; readonly port: number }>;
  /** Resolves when the server has closed. */
  readonly finished: Promise<void>;
  /** Drains the server, stops listening, and closes it after the responses in progress. */
  shutdown(): Promise<void>;
} {
  const { hostname = "127.0.0.1", port = 8000, reusePort = false, log = consoleLog } = options;
  const server = createServer();
  const attachment = attach(server, handler, { paths: ["/"], log, publicUrl: options.publicUrl });
  const finished = new Promise<void>((resolve) => server.once("close", resolve));
  const stop = stopOnce(server, attachment, handler, options);
  const forget = handleProcessEvents(
    { stop, stopListening: () => server.close() },
    options,
    log,
  );
  const listening = new Promise<NetAddress>((resolve, reject) => {
    const fail = (error: Error) => {
      log.error(`Cannot listen on ${hostname}:${port}: ${error.message}`);
      process.exitCode = 1;
      reject(error);
    };
    server.once("error", fail);
    try {
      server.listen({ host: hostname, port, reusePort }, () => {
        const { address, port } = server.address() as AddressInfo;
        resolve({ hostname: address, port });
        options.onListen?.({ hostname: address, port });
      });
    } catch (error) {
      fail(error as Error); // The port is not a valid number.
    }
  });
  listening.catch(() => {}); // Reported above.
  const shutdown = async () => {
    await stop();
    forget();
  };
  return { server, listening, finished, shutdown, [Symbol.asyncDispose]: shutdown };
}

/** Returns a function that stops the server; later calls wait for the first. */
function stopOnce(
  server: Server,
  attachment: ReturnType<typeof attach>,
  handler: ServeHandler,
  options: ServeOptions,
): () => Promise<void> {
  const close = () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    attachment.terminateAll();
    server.closeIdleConnections();
    return closed;
  };
  let stopping: Promise<void> | undefined;
  return () =>
    stopping ??= shutDown(handler, options, close).finally(() => server.closeAllConnections());
}
