import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/**
 * An unresponsive peer on bare TCP: it reads, but answers neither pings nor close frames, and never
 * disconnects. `stall()` also stops it from reading.
 */
export class SilentPeer implements Disposable {
  /** Called for each text message. */
  onText: (text: string) => void = () => {};
  /** Called for a close frame, or the end of the network connection. */
  onClose: () => void = () => {};
  readonly #socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, rest: Buffer) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#read(Buffer.from(chunk)));
    socket.on("close", () => this.onClose());
    socket.on("error", () => {});
    this.#read(rest);
  }

  /** Opens a socket; rejects if it is refused. */
  static async connect(
    address: string,
    headers: Record<string, string>,
  ): Promise<SilentPeer> {
    const url = new URL(address);
    const socket = connect(Number(url.port), url.hostname);
    await once(socket, "connect");
    const lines = Object.entries({
      host: url.host,
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
      "sec-websocket-protocol": "sluice.v1",
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET ${url.pathname} HTTP/1.1\r\n${lines.join("")}\r\n`);
    let head: Buffer = Buffer.alloc(0);
    while (!head.includes("\r\n\r\n")) {
      const [chunk] = await once(socket, "data");
      head = Buffer.concat([head, chunk]);
    }
    const end = head.indexOf("\r\n\r\n") + 4;
    const status = head.subarray(0, end).toString().split("\r\n")[0];
    if (!status?.includes(" 101 ")) {
      socket.destroy();
      throw new Error(`Upgrade refused: ${status}`);
    }
    return new SilentPeer(socket, head.subarray(end));
  }

  /** Stops reading. */
  stall(): void {
    this.#socket.pause();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (let frame = this.#take(); frame; frame = this.#take()) {
      if (frame.opcode === 1) this.onText(frame.payload.toString());
      if (frame.opcode === 8) this.onClose();
    }
  }

  /** Reads one frame of the server (RFC 6455 §5.2), which is never masked. */
  #take(): { opcode: number; payload: Buffer } | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    const short = bytes[1]! & 127;
    const start = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (bytes.length < start) return undefined;
    const length = short === 126
      ? bytes.readUInt16BE(2)
      : short === 127
      ? Number(bytes.readBigUInt64BE(2))
      : short;
    if (bytes.length < start + length) return undefined;
    this.#bytes = bytes.subarray(start + length);
    return { opcode: bytes[0]! & 15, payload: bytes.subarray(start, start + length) };
  }
}
