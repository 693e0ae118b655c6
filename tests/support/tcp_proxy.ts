import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A connection through a {@linkcode TcpProxy}: its client and its server. */
interface Path {
  readonly ends: readonly [Socket, Socket];
  isFrozen: boolean;
}

/**
 * A TCP proxy on a loopback port: a load balancer, the name of a server that moves, or a network path
 * that breaks. Its connections go to its ports in turn.
 */
export class TcpProxy implements AsyncDisposable {
  readonly #server = createServer((client) => this.#pass(client));
  readonly #paths = new Set<Path>();
  #ports: readonly number[];
  #turn = 0;
  #isCut = false;
  #isSilent = false;
  /** Writes that are held until the end of a silence. */
  #held: (() => void)[] = [];

  private constructor(ports: readonly number[]) {
    this.#ports = ports;
  }

  /** Starts a proxy. Without a port, its connections end until it is moved. */
  static async open(...ports: readonly number[]): Promise<TcpProxy> {
    const proxy = new TcpProxy(ports);
    await once(proxy.#server.listen(0, "127.0.0.1"), "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The address for browsers. */
  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Changes the ports for new connections, and ends a cut or a silence. */
  move(...ports: readonly number[]): void {
    this.#ports = ports;
    this.#isCut = this.#isSilent = false;
    for (const send of this.#held.splice(0)) send();
  }

  /** Ends a cut or a silence. */
  restore(): void {
    this.move(...this.#ports);
  }

  /** Loses all further bytes of the open connections without closing them; new ones use another path. */
  freeze(): void {
    for (const path of this.#paths) path.isFrozen = true;
  }

  /** Forwards nothing until the end of the silence, like a network that loses every packet. */
  silence(): void {
    this.#isSilent = true;
  }

  /** Closes all connections, and refuses new ones until the end of the cut. */
  cut(): void {
    this.#isCut = true;
    for (const { ends } of this.#paths) for (const end of ends) end.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(client: Socket): void {
    const port = this.#ports[this.#turn++ % this.#ports.length];
    if (this.#isCut || port === undefined) return void client.destroy();
    const server = connect(port, "127.0.0.1");
    const path: Path = { ends: [client, server], isFrozen: false };
    this.#paths.add(path);
    for (const [from, to] of [[client, server], [server, client]] as const) {
      from.on("error", () => {});
      from.on("close", () => {
        if (!path.isFrozen) to.destroy();
        if (to.destroyed) this.#paths.delete(path);
      });
      from.on("data", (bytes) => {
        if (path.isFrozen) return;
        const send = () => void to.write(bytes);
        if (this.#isSilent) this.#held.push(send);
        else send();
      });
    }
  }
}
