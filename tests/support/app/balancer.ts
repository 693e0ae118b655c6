import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A load balancer for TCP on a loopback port: each connection goes to the next server. */
export class Balancer implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #ports: readonly number[] = [];
  #turn = 0;

  private constructor() {
    this.#server = createServer((socket) => this.#forward(socket));
  }

  /** Opens a port. Its connections end until there are servers. */
  static async open(): Promise<Balancer> {
    const balancer = new Balancer();
    await new Promise<void>((resolve) => balancer.#server.listen(0, "127.0.0.1", resolve));
    return balancer;
  }

  /** The public address. */
  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Sets the ports of the servers. */
  serve(ports: readonly number[]): void {
    this.#ports = ports;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #forward(socket: Socket): void {
    const port = this.#ports[this.#turn++ % this.#ports.length];
    if (port === undefined) return void socket.destroy();
    const onward = connect(port, "127.0.0.1");
    for (const [one, other] of [[socket, onward], [onward, socket]] as const) {
      this.#sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}
