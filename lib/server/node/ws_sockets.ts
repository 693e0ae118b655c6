import type { IncomingMessage } from "node:http";
import process from "node:process";
import type { Duplex } from "node:stream";
// @ts-types="@types/ws"
import { WebSocket, WebSocketServer } from "ws";
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
  readonly #open = new Set<WsSocket>();
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
    let socket: WsSocket | undefined;
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
        (accepted) => void (socket = accepted as WsSocket),
      );
    } finally {
      acceptor.off("headers", addHeaders);
    }
    if (socket === undefined) throw new TypeError("The handshake is invalid");
    socket.receiver = events;
    socket.open = this.#open;
    this.#open.add(socket);
    this.#heartbeat ??= setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
    return socket;
  }

  /** Closes the network connections of all sockets at once. */
  terminateAll(): void {
    for (const socket of this.#open) socket.terminate();
  }

  #acceptorFor(maxPayload: number): WebSocketServer {
    let acceptor = this.#acceptors.get(maxPayload);
    if (acceptor === undefined) {
      acceptor = new WebSocketServer(
        {
          noServer: true,
          WebSocket: WsSocket,
          clientTracking: false,
          maxPayload,
          closeTimeout: CLOSE_TIMEOUT_MS,
        } as ConstructorParameters<typeof WebSocketServer>[0],
      );
      this.#acceptors.set(maxPayload, acceptor);
    }
    return acceptor;
  }

  #beat(): void {
    for (const socket of this.#open) {
      if (socket.isAlive) socket.ping();
      else socket.terminate();
      socket.isAlive = false;
    }
    if (this.#open.size > 0) return;
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }
}

/**
 * The request as `ws` should see it: `ws` accepts neither several protocols in `Upgrade` nor invalid
 * names among the offered subprotocols, and the handler has already chosen one. An object of its own is
 * cheaper than a changed copy.
 */
function handshakeOf({ method, headers }: IncomingMessage): IncomingMessage {
  return {
    method,
    headers: {
      "upgrade": "websocket",
      "sec-websocket-key": headers["sec-websocket-key"],
      "sec-websocket-version": headers["sec-websocket-version"],
    },
  } as IncomingMessage;
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

/** A socket that receives its own events: listeners, with a closure each, take half a kilobyte. */
class WsSocket extends WebSocket implements Socket {
  receiver!: SocketEvents;
  /** The open sockets of the server. */
  open!: Set<WsSocket>;
  /** Whether the peer has answered the last ping. */
  isAlive = true;

  override emit(event: string | symbol, first?: unknown, second?: unknown): boolean {
    if (event === "message") this.#received(first as Buffer, second === true);
    else if (event === "pong") this.isAlive = true;
    else if (event === "error") this.#failed(first as Error & { readonly code?: string });
    else if (event === "close") {
      this.open.delete(this);
      this.receiver.close(first as number, (second as Buffer).toString());
    }
    return true;
  }

  #received(data: Buffer, isBinary: boolean): void {
    const { buffer, byteOffset, length } = data;
    this.receiver.message(isBinary ? new Uint8Array(buffer, byteOffset, length) : data.toString());
  }

  /** `ws` has sent the close frame of a protocol error by now; the peer may take its time to answer. */
  #failed({ code, message }: Error & { readonly code?: string }): void {
    const isProtocol = code?.startsWith("WS_ERR_");
    this.receiver.close(isProtocol ? CODE_OF_ERROR[code!] ?? 1002 : 1006, message);
  }
}
