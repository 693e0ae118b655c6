/**
 * A test process that keeps many tabs open cheaply: it ignores all received data. `raw_tabs.ts FILE` opens
 * the tabs in the JSON file, prints `open`, and runs until it is killed.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** One tab. */
export interface RawTab {
  readonly origin: string;
  readonly path: string;
  readonly cookie: string;
}

const AT_ONCE = 20;

/** An unsolicited masked pong (RFC 6455 §5.5.3), which keeps the tab alive. */
const PONG = new Uint8Array([0x8a, 0x80, 0, 0, 0, 0]);

async function open({ origin, path, cookie }: RawTab): Promise<Socket> {
  const url = new URL(origin);
  const socket = connect(Number(url.port), url.hostname);
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write([
    `GET ${path} HTTP/1.1`,
    `Host: ${url.host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Protocol: sluice.v1",
    `Origin: ${origin}`,
    `Cookie: ${cookie}`,
    "\r\n",
  ].join("\r\n"));
  const [head] = await once(socket, "data");
  if (!String(head).startsWith("HTTP/1.1 101 ")) throw new Error(`Upgrade refused: ${head}`);
  socket.resume();
  return socket;
}

if (import.meta.main) {
  const tabs: RawTab[] = JSON.parse(Deno.readTextFileSync(Deno.args[0]!));
  const sockets: Socket[] = [];
  setInterval(() => sockets.forEach((socket) => socket.writable && socket.write(PONG)), 10_000);
  const openSome = async () => {
    for (let tab = tabs.pop(); tab !== undefined; tab = tabs.pop()) sockets.push(await open(tab));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, openSome));
  console.log("open");
}
