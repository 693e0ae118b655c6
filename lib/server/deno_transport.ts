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
    const { socket, response } = Deno.upgradeWebSocket(request);
    // Its own `protocol` option throws where the client put no space between two offers.
    if (subprotocol !== undefined) response.headers.set("sec-websocket-protocol", subprotocol);
    for (const [name, value] of new Headers(headers)) response.headers.append(name, value);
    socket.binaryType = "arraybuffer";
    listen(socket, events);
    return { response, socket: socket as unknown as Socket };
  },
};

/** An exception in one of these callbacks would end the process: the events throw none. */
function listen(socket: WebSocket, events: SocketEvents): void {
  socket.onopen = () => events.open();
  socket.onmessage = ({ data }) => {
    events.message(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer));
  };
  socket.onclose = ({ code, reason }) => events.close(code, reason);
  socket.onerror = (event) => event.preventDefault?.();
}
