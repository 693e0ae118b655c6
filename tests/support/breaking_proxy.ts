import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  request as send,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, connect as connectTcp, type Socket } from "node:net";
import type { Duplex } from "node:stream";

/** What a {@linkcode BreakingProxy} does with an upgrade. */
export type UpgradeMode = "pass" | "refuse" | "swallow" | "cut";

/** The GUID of RFC 6455 §1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/**
 * A proxy that passes plain HTTP and breaks WebSockets: it refuses the upgrade, answers it and swallows
 * the frames, or answers it and cuts the connection.
 */
export class BreakingProxy implements AsyncDisposable {
  mode: UpgradeMode = "refuse";
  /** Upgrades since the start. */
  upgrades = 0;
  /** Plain requests since the start, by method. */
  readonly requests: string[] = [];
  readonly #target: URL;
  readonly #server = createServer((request, response) => this.#forward(request, response));
  readonly #sockets = new Set<Duplex>();

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#server.on("connection", (socket: Socket) => this.#keep(socket));
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Starts a proxy in front of a server. */
  static async start(target: string): Promise<BreakingProxy> {
    const proxy = new BreakingProxy(target);
    await once(proxy.#server.listen(0, "127.0.0.1"), "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Cuts all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(request.method!);
    const { hostname, port } = this.#target;
    const { method, url: path, headers } = request;
    const onward = send({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      response.flushHeaders();
      answer.on("error", () => response.destroy());
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    this.upgrades++;
    if (this.mode === "refuse") {
      return void socket.end("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
    }
    if (this.mode === "pass") return this.#tunnel(request, socket, head);
    const key = request.headers["sec-websocket-key"];
    const accept = createHash("sha1").update(key + GUID).digest("base64");
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n" +
        `sec-websocket-protocol: sluice.v1\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    socket.resume();
    if (this.mode === "cut") setTimeout(() => socket.destroy(), 20);
  }

  #tunnel(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    const { hostname, port } = this.#target;
    const onward = connectTcp(Number(port), hostname);
    this.#keep(onward);
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
    }
    onward.write(`${lines.join("\r\n")}\r\n\r\n`);
    onward.write(head);
    onward.pipe(socket).pipe(onward);
    onward.on("close", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  }
}
