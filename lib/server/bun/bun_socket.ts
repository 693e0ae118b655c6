import type { Socket, SocketEvents, Transport, UpgradeOptions } from "../../core/transport.ts";
import type { BunNativeServer, BunWebSocket } from "./bun_global.ts";

/** A socket of Bun's server, which Bun creates after the upgrade was accepted. */
export class BunSocket implements Socket {
  readonly #events: SocketEvents;
  #socket: BunWebSocket<BunSocket> | undefined;
  /** A close from before the socket opened. */
  #closing: { readonly code: number; readonly reason: string } | undefined;

  constructor(events: SocketEvents) {
    this.#events = events;
  }

  get bufferedAmount(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  send(data: string | Uint8Array): void {
    this.#socket?.send(data);
  }

  close(code: number, reason: string): void {
    if (this.#socket === undefined) this.#closing = { code, reason };
    else this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket?.terminate();
  }

  /** Called by Bun, possibly during the upgrade. */
  opened(socket: BunWebSocket<BunSocket>): void {
    this.#socket = socket;
    if (this.#closing !== undefined) socket.close(this.#closing.code, this.#closing.reason);
    else queueMicrotask(() => this.#events.open());
  }

  received(data: string | Uint8Array): void {
    if (typeof data === "string") return this.#events.message(data);
    this.#events.message(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  closed(code: number, reason: string): void {
    this.#events.close(code, reason);
  }
}

/** The transport of one request to Bun's server. */
export class BunUpgrade implements Transport {
  isUpgraded = false;
  readonly #server: BunNativeServer<BunSocket>;

  constructor(server: BunNativeServer<BunSocket>) {
    this.#server = server;
  }

  upgrade(request: Request, events: SocketEvents, options: UpgradeOptions): {
    response: Response;
    socket: Socket;
  } {
    if (!request.headers.has("host")) {
      throw new TypeError("A handshake needs a Host (RFC 6455 §4.2.1)");
    }
    const headers = new Headers(options.headers);
    if (options.subprotocol !== undefined) {
      headers.set("sec-websocket-protocol", options.subprotocol);
    }
    const socket = new BunSocket(events);
    this.isUpgraded = this.#server.upgrade(request, { headers, data: socket });
    if (!this.isUpgraded) throw new TypeError("The handshake is invalid");
    // Bun has answered with 101.
    return { response: new Response(null), socket };
  }
}
