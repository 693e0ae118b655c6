import type { Server } from "node:http";
import type { UpgradeRequest } from "./ws_sockets.ts";

/** Headers that ask for an upgrade. */
const HEADERS: ReadonlySet<string> = new Set(["upgrade", "http2-settings", "connection"]);

/**
 * Returns a request to its server as if it had not asked for an upgrade, as a server without upgrade
 * listeners treats it (RFC 9110 §7.8): some clients offer HTTP/2 with every first request.
 *
 * The request is put back into the connection without its `Upgrade`, and the connection into the
 * server, which reads it again with its body and all later requests.
 */
export function withoutUpgrade(server: Server, { message, socket, head }: UpgradeRequest): void {
  const { method, url, httpVersion, rawHeaders } = message;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (!HEADERS.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[index + 1]}`);
  }
  if (/\bclose\b/i.test(message.headers.connection ?? "")) lines.push("Connection: close");
  if (head.length > 0) socket.unshift(head);
  socket.unshift(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
  server.emit("encrypted" in socket ? "secureConnection" : "connection", socket);
}
