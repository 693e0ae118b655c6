import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { leaveBody } from "../../core/read_body.ts";
import type { Transport } from "../../core/transport.ts";
import { answerError, refusalOfRequest, type ServerSite } from "../guarded_answer.ts";
import { problem } from "../problem.ts";
import type { ServeHandler } from "../serve_options.ts";
import { hostOf, peerOf, toRequest } from "./node_request.ts";
import { writeResponse } from "./node_response.ts";
import { type UpgradeRequest, WsSockets } from "./ws_sockets.ts";

/** How long a connection with unread data stays open for its client to read the response. */
const LINGER_MS = 1_000;

/** Methods that a `Request` cannot have (Fetch §2.2.1). */
const FORBIDDEN: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

/** Connects a handler to the events of a `node:http` server. */
export class NodeGateway {
  readonly #handler: ServeHandler;
  readonly #site: ServerSite;
  readonly #sockets = new WsSockets();

  constructor(handler: ServeHandler, site: ServerSite) {
    this.#handler = handler;
    this.#site = site;
  }

  /** Answers a plain request. Never rejects. */
  async request(message: IncomingMessage, target: ServerResponse): Promise<void> {
    const gone = new AbortController();
    target.on("close", () => {
      if (!target.writableFinished) gone.abort();
    });
    const leave = () => closeAfter(target, message);
    const exchange: Exchange = { message, signal: gone.signal, leave };
    await writeResponse(target, await this.#answer(exchange));
    if (exchange.request !== undefined && !message.complete) leaveBody(exchange.request);
  }

  /** Answers an upgrade request: with 101, or as a plain request. Never rejects. */
  async upgrade(upgradeRequest: UpgradeRequest): Promise<void> {
    const { message, socket } = upgradeRequest;
    const gone = new AbortController();
    const abort = () => gone.abort();
    // Without a listener, a connection reset during the decision would end the process.
    socket.on("error", abort).on("close", abort);
    const upgrade = new WsUpgrade(upgradeRequest, this.#sockets);
    // The connection has left HTTP: there is no body to leave.
    const response = await this.#answer({ message, signal: gone.signal, leave() {} }, upgrade);
    if (!upgrade.isUpgraded) await writeResponse(responseOn(socket, message), response);
    socket.off("close", abort);
    // `ws` has its own listener by now.
    if (upgrade.isUpgraded) socket.off("error", abort);
  }

  /** Closes all network connections of sockets at once. */
  terminateAll(): void {
    this.#sockets.terminateAll();
  }

  async #answer(exchange: Exchange, transport?: WsUpgrade): Promise<Response> {
    const { message, signal, leave } = exchange;
    try {
      const host = hostOf(message);
      const refusal = refusalOfRequest(host, message.url ?? "/", this.#site);
      if (refusal !== undefined) return problem(refusal);
      if (FORBIDDEN.has(message.method ?? "")) return new Response(null, { status: 501 });
      const request = exchange.request = toRequest(message, { host, signal, leave });
      return await this.#handler(request, { remoteAddr: peerOf(message), transport });
    } catch (error) {
      return answerError(error, this.#site.log);
    }
  }
}

/** A message, and what its `Request` needs. */
interface Exchange {
  readonly message: IncomingMessage;
  readonly signal: AbortSignal;
  /** See `RequestContext`. */
  leave(): void;
  /** Once it has been created. */
  request?: Request;
}

/** Closes the connection of a request whose body is not read to its end. */
function closeAfter(target: ServerResponse, message: IncomingMessage): void {
  if (target.writableFinished || target.destroyed) {
    message.destroy();
    return;
  }
  // Unread data would make the close a reset, with which the response can be lost.
  target.once("finish", () => setTimeout(() => message.destroy(), LINGER_MS).unref());
}

/** The transport of one upgrade request. */
class WsUpgrade implements Transport {
  readonly request: UpgradeRequest;
  isUpgraded = false;
  readonly #sockets: WsSockets;

  constructor(request: UpgradeRequest, sockets: WsSockets) {
    this.request = request;
    this.#sockets = sockets;
  }

  upgrade(...[, events, options]: Parameters<Transport["upgrade"]>): ReturnType<
    Transport["upgrade"]
  > {
    const { message } = this.request;
    if (message.headers.host === undefined) {
      throw new TypeError("A handshake needs a Host (RFC 6455 §4.2.1)");
    }
    const socket = this.#sockets.accept(this.request, events, options);
    this.isUpgraded = true;
    // The 101 has been written; Node cannot create a `Response` with that status.
    return { response: new Response(null), socket };
  }
}

/** Returns a response on the raw connection of an upgrade request, which it closes at its end. */
function responseOn(socket: Duplex, message: IncomingMessage): ServerResponse {
  const target = new ServerResponse(message);
  target.shouldKeepAlive = false;
  target.assignSocket(socket as Parameters<ServerResponse["assignSocket"]>[0]);
  target.on("finish", () => {
    target.detachSocket(socket as Parameters<ServerResponse["detachSocket"]>[0]);
    socket.end();
    socket.resume();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  });
  return target;
}
