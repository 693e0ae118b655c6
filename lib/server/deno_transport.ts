import type { Socket, SocketEvents, Transport } from "../scope.ts";

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
    listen(socket, events);
    return { response, socket: socket as unknown as Socket };
  },
};

/** Uses one listener for all events: a closure for each takes half a kilobyte more per socket. */
function listen(socket: WebSocket, events: SocketEvents): void {
  const listener = new Listener(events);
  socket.addEventListener("open", listener);
  socket.addEventListener("message", listener);
  socket.addEventListener("close", listener);
}

/**
 * Forwards the events of a socket. The handlers do not throw; an error here would end the process.
 *
 * Releases them on close: the runtime keeps a closed socket for half of its idle timeout and would
 * keep the whole connection with it.
 */
class Listener implements EventListenerObject {
  #events: SocketEvents | undefined;

  constructor(events: SocketEvents) {
    this.#events = events;
  }

  handleEvent(event: Event): void {
    if (event.type === "message") {
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
