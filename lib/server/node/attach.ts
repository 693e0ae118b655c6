import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Log } from "../../core/log.ts";
import { consoleLog } from "../../core/log.ts";
import { NodeGateway } from "./node_gateway.ts";
import { pathOf } from "./node_request.ts";
import { withoutUpgrade } from "./without_upgrade.ts";

const DEFAULT_PATHS = ["/ws"];

/**
 * Attaches a handler to an existing `node:http` or `node:https` server: Express, Fastify, Hono, Koa or
 * any other framework keeps its requests. The order of `attach()` and the framework's own listeners
 * does not matter.
 *
 * The server's owner stops it: call `handler.drain()` before `server.close()`.
 *
 * @throws {TypeError} A path does not start with `/`.
 *
 * @example
 * ```ts
 * import { allowAnonymous, Consumer, origins, route, stack, toHandler } from "@sluice/sluice";
 * import { attach } from "@sluice/sluice/node";
 * import { createServer } from "node:http";
 * import assert from "node:assert/strict";
 *
 * class Echo extends Consumer {}
 *
 * const handler = toHandler(
 *   stack().use(origins()).use(allowAnonymous()).routes([route("/ws/echo", Echo)]),
 * );
 * const server = createServer((_request, response) => response.end("the application"));
 * const attachment = attach(server, handler);
 * assert.equal(server.listenerCount("upgrade"), 1);
 * attachment.detach();
 * ```
 */
export function attach(
  server: Server,
  handler: (request: Request, info: {
    /** Address of the peer. */
    readonly remoteAddr: { readonly hostname: string; readonly port: number };
  }) => Response | Promise<Response>,
  options: {
    /**
     * The paths that the handler answers: `/ws` stands for itself and everything below it. All other
     * requests and upgrades go to the server's other listeners.
     *
     * @default {["/ws"], and upgrades to WebSocket at any path if the server has no other `upgrade`
     * listener}
     */
    readonly paths?: readonly string[] | undefined;
    /** As of `serve()`. @default {undefined} */
    readonly publicUrl?: string | undefined;
    /** Receives problems with connections. @default {consoleLog} */
    readonly log?: Log | undefined;
  } = {},
): Disposable & {
  /** Returns the server's events to its other listeners. Open sockets stay open. */
  detach(): void;
  /** Closes the network connections of all sockets at once: for the end of a stop, after `drain()`. */
  terminateAll(): void;
} {
  const paths = (options.paths ?? DEFAULT_PATHS).map(toPrefix);
  const gateway = new NodeGateway(handler, {
    log: options.log ?? consoleLog,
    publicUrl: options.publicUrl,
  });
  const isOurs = (message: IncomingMessage) => matches(paths, pathOf(message));
  const { emit } = server;
  const upgrade = (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    const isOnly = server.listenerCount("upgrade") === 1;
    if (isOurs(message) || (isOnly && options.paths === undefined && isWebSocket(message))) {
      void gateway.upgrade({ message, socket, head }).catch(() => {});
    } else if (isOnly) {
      withoutUpgrade(server, { message, socket, head });
    }
  };
  const intercept = (event: string | symbol, ...args: unknown[]): boolean => {
    const [message, response] = args as [IncomingMessage, ServerResponse];
    if (event === "request" && isOurs(message)) {
      void gateway.request(message, response).catch(() => {});
      return true;
    }
    // Other listeners must not see an upgrade that is answered here.
    if (event !== "upgrade" || !isOurs(message)) {
      return emit.apply(server, [event, ...args] as Parameters<Server["emit"]>);
    }
    upgrade(...args as [IncomingMessage, Duplex, Buffer]);
    return true;
  };
  server.emit = intercept as Server["emit"];
  // With a listener, the server parses upgrade requests as such.
  server.on("upgrade", upgrade);
  const detach = () => {
    server.off("upgrade", upgrade);
    if (server.emit === intercept) server.emit = emit;
  };
  return { detach, [Symbol.dispose]: detach, terminateAll: () => gateway.terminateAll() };
}

function toPrefix(path: string): string {
  if (!path.startsWith("/")) {
    throw new TypeError(`Cannot attach at "${path}": a path starts with "/"`);
  }
  return path.replace(/\/?\*?$/, "");
}

function matches(prefixes: readonly string[], path: string): boolean {
  return prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}

function isWebSocket({ headers: { upgrade = "" } }: IncomingMessage): boolean {
  return upgrade.toLowerCase().split(",").some((token) => token.trim() === "websocket");
}
