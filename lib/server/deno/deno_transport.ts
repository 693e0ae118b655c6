import {
  isClientFault,
  type Socket,
  type SocketEvents,
  type Transport,
} from "../../core/transport.ts";

/**
 * Deno's built-in WebSockets.
 *
 * Measured limits: the network connection of a peer that ignores a close frame stays open until the
 * peer disconnects. One frame may hold 64 MiB and a fragmented message has no limit, so a message's
 * size is checked only once it is in memory.
 */
export const denoTransport: Transport = {
  upgrade(request, events, { subprotocol, headers }) {
    if (!request.headers.has("host")) {
      throw new TypeError("A handshake needs a Host (RFC 6455 §4.2.1)");
    }
    const isPlain = subprotocol === request.headers.get("sec-websocket-protocol");
    const { socket, response } = Deno.upgradeWebSocket(
      request,
      isPlain ? { protocol: subprotocol } : {},
    );
    // Deno's own option throws if the offers are not separated by spaces; it is also cheaper.
    if (subprotocol !== undefined && !isPlain) {
      response.headers.set("sec-websocket-protocol", subprotocol);
    }
    if (headers !== undefined) {
      for (const [name, value] of new Headers(headers)) response.headers.append(name, value);
    }
    socket.binaryType = "arraybuffer";
    return { response, socket: new DenoSocket(socket, events) };
  },
};

/** How long a client that floods has to pause before its socket is closed, in milliseconds. */
const QUIET_MS = 20;

/** How long such a pause is awaited, in milliseconds. */
const FLOOD_MS = 500;

/**
 * One socket, and the only listener of its events: a closure for each takes half a kilobyte more. The
 * handlers do not throw; an error here would end the process.
 *
 * Releases them on close: the runtime keeps a closed socket for half of its idle timeout and would
 * keep the whole connection with it.
 */
class DenoSocket implements Socket, EventListenerObject {
  readonly #socket: WebSocket;
  #events: SocketEvents | undefined;
  /** Whether a message arrived since this was last set to false. */
  #isNoisy = false;

  constructor(socket: WebSocket, events: SocketEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.addEventListener("open", this);
    socket.addEventListener("message", this);
    socket.addEventListener("close", this);
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: string | Uint8Array): void {
    this.#socket.send(data as string | Uint8Array<ArrayBuffer>);
  }

  close(code: number, reason: string): void {
    if (isClientFault(code)) this.#closeWhenQuiet(code, reason, FLOOD_MS);
    else this.#socket.close(code, reason);
  }

  /**
   * Closes when no message has arrived for a moment. Deno drops a connection on which a message arrives
   * before the close frame is written: the client would get neither the code nor earlier messages.
   */
  #closeWhenQuiet(code: number, reason: string, leftMs: number): void {
    this.#isNoisy = false;
    setTimeout(() => {
      if (this.#isNoisy && leftMs > 0) this.#closeWhenQuiet(code, reason, leftMs - QUIET_MS);
      else if (this.#events !== undefined) this.#socket.close(code, reason);
    }, QUIET_MS);
  }

  handleEvent(event: Event): void {
    if (event.type === "message") {
      this.#isNoisy = true;
      const { data } = event as MessageEvent<string | ArrayBuffer>;
      this.#events?.message(typeof data === "string" ? data : new Uint8Array(data));
    } else if (event.type === "open") {
      this.#events?.open();
    } else {
      const { code, reason } = event as CloseEvent;
      this.#events?.close(code, reason);
      this.#events = undefined;
    }
  }
}
