import type { Socket, SocketEvents, Transport } from "../scope.ts";

/**
 * Deno's own WebSockets.
 *
 * Its limits, measured: a peer that does not answer a close frame keeps its network connection until
 * it goes away by itself; one frame may hold 64 MiB and a fragmented message has no limit, so that
 * the size of a message is checked when it is in memory already.
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
    // Its own option throws where the client put no space between two offers, and costs less.
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

/** One object for all events: a handler of its own for each would take half a kilobyte more. */
function listen(socket: WebSocket, events: SocketEvents): void {
  const listener = new Listener(events);
  socket.addEventListener("open", listener);
  socket.addEventListener("message", listener);
  socket.addEventListener("close", listener);
}

/**
 * Passes on what a socket reports. What it threw would end the process: the events throw nothing.
 *
 * At the end it lets go of them: the runtime keeps a socket for half of its idle timeout after its end,
 * and would keep the whole connection with it.
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
