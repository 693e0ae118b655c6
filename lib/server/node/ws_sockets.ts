import type { IncomingMessage } from "node:http";
import process from "node:process";
import type { Duplex } from "node:stream";
// @ts-types="@types/ws"
import { type WebSocket, WebSocketServer } from "ws";
import { CloseCode } from "../../protocol/mod.ts";
import type { Socket, SocketEvents, UpgradeOptions } from "../../core/transport.ts";

/** How often peers are asked for a sign of life, in milliseconds. */
const HEARTBEAT_MS = 30_000;

/** How long a peer may take to answer a close frame, in milliseconds. */
const CLOSE_TIMEOUT_MS = 5_000;

/** An upgrade request as `node:http` reports it. */
export interface UpgradeRequest {
  readonly message: IncomingMessage;
  readonly socket: Duplex;
  /** Data that arrived after the request. */
  readonly head: Buffer;
}

/**
 * The sockets of one server, with the package `ws`. It pings all peers every 30 s and ends the
 * connections of those that did not answer the last ping.
 */
export class WsSockets {
  readonly #open = new Map<WebSocket, { isAlive: boolean }>();
  /** One per message limit: `ws` takes it as an option of its server. */
  readonly #acceptors = new Map<number, WebSocketServer>();
  #heartbeat: ReturnType<typeof setInterval> | undefined;

  /**
   * Answers the request with 101 and returns its socket.
   *
   * @throws {TypeError} The handshake is invalid, or the peer has disconnected.
   */
  accept(request: UpgradeRequest, events: SocketEvents, options: UpgradeOptions): Socket {
    const acceptor = this.#acceptorFor(options.maxMessageBytes);
    const addHeaders = (lines: string[]) => {
      lines.push(...headerLines(options));
    };
    let socket: WebSocket | undefined;
    // Called before the first message, which arrives in a later tick.
    process.nextTick(() => {
      if (socket !== undefined) events.open();
    });
    acceptor.once("headers", addHeaders);
    try {
      acceptor.handleUpgrade(
        handshakeOf(request.message),
        request.socket,
        request.head,
        (accepted) => void (socket = accepted),
      );
    } finally {
      acceptor.off("headers", addHeaders);
    }
    if (socket === undefined) throw new TypeError("The handshake is invalid");
    this.#watch(socket);
    return new WsSocket(socket, events);
  }

  /** Closes the network connections of all sockets at once. */
  terminateAll(): void {
    for (const socket of this.#open.keys()) socket.terminate();
  }

  #acceptorFor(maxPayload: number): WebSocketServer {
    let acceptor = this.#acceptors.get(maxPayload);
    if (acceptor === undefined) {
      acceptor = new WebSocketServer(
        {
          noServer: true,
          clientTracking: false,
          maxPayload,
          closeTimeout: CLOSE_TIMEOUT_MS,
        } as ConstructorParameters<typeof WebSocketServer>[0],
      );
      this.#acceptors.set(maxPayload, acceptor);
    }
    return acceptor;
  }

  #watch(socket: WebSocket): void {
    const state = { isAlive: true };
    this.#open.set(socket, state);
    socket.on("pong", () => void (state.isAlive = true));
    socket.on("close", () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) clearInterval(this.#heartbeat);
    });
    if (this.#open.size > 1) return;
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  #beat(): void {
    for (const [socket, state] of this.#open) {
      if (!state.isAlive) {
        socket.terminate();
        continue;
      }
      state.isAlive = false;
      socket.ping();
    }
  }
}

/**
 * The request as `ws` should see it: `ws` accepts neither several protocols in `Upgrade` nor invalid
 * names among the offered subprotocols, and the handler has already chosen one.
 */
function handshakeOf(message: IncomingMessage): IncomingMessage {
  const { "sec-websocket-protocol": _, ...headers } = message.headers;
  return Object.create(message, { headers: { value: { ...headers, upgrade: "websocket" } } });
}

function headerLines({ subprotocol, headers }: UpgradeOptions): string[] {
  const lines = [...new Headers(headers)].map(([name, value]) => `${name}: ${value}`);
  return subprotocol === undefined ? lines : [`Sec-WebSocket-Protocol: ${subprotocol}`, ...lines];
}

/** Close codes of the errors of `ws`, by their `code`. */
const CODE_OF_ERROR: Readonly<Record<string, number>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: CloseCode.messageTooLarge,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: CloseCode.messageTooLarge,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: CloseCode.messageTooLarge,
  WS_ERR_INVALID_UTF8: CloseCode.invalidPayload,
};

class WsSocket implements Socket {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, events: SocketEvents) {
    this.#socket = socket;
    socket.on("message", (data: Buffer, isBinary) => {
      const { buffer, byteOffset, length } = data;
      events.message(isBinary ? new Uint8Array(buffer, byteOffset, length) : data.toString());
    });
    socket.on("close", (code, reason) => events.close(code, reason.toString()));
    // `ws` has sent the close frame of a protocol error by now; the peer may take its time to answer.
    socket.on("error", (error: Error & { code?: string }) => {
      const code = error.code?.startsWith("WS_ERR_") ? CODE_OF_ERROR[error.code] ?? 1002 : 1006;
      events.close(code, error.message);
    });
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: string | Uint8Array): void {
    this.#socket.send(data);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
