import { connect, type Socket } from "node:net";

/** Opens a WebSocket over plain TCP and never reads from it: a stalled reader. */
export function openStalled(url: URL): Promise<Socket> {
  const socket = connect(Number(url.port), url.hostname);
  const request = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "\r\n",
  ].join("\r\n");
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => socket.write(request));
    socket.once("data", () => {
      socket.pause();
      resolve(socket);
    });
  });
}
