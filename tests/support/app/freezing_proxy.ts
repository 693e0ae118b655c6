import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** One TCP connection through a {@linkcode FreezingProxy}. */
interface Path {
  readonly ends: readonly [Socket, Socket];
  isFrozen: boolean;
}

/** A TCP proxy that can stop forwarding bytes without closing connections, like a broken network path. */
export class FreezingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #paths = new Set<Path>();
  #isDown = false;
  /** The address for browsers. */
  readonly origin: string;

  private constructor(server: Server) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Starts a proxy in front of a server on this machine. */
  static async start(target: string): Promise<FreezingProxy> {
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    const proxy = new FreezingProxy(server);
    server.on("connection", (client) => {
      if (proxy.#isDown) client.destroy();
      else proxy.#pass(client, connect(Number(new URL(target).port), "127.0.0.1"));
    });
    return proxy;
  }

  /** Stops forwarding on all open connections; new ones use another path. */
  freeze(): void {
    for (const path of this.#paths) path.isFrozen = true;
  }

  /** Closes all connections, and refuses new ones until {@linkcode restore}. */
  cut(): void {
    this.#isDown = true;
    for (const { ends } of this.#paths) for (const end of ends) end.destroy();
  }

  restore(): void {
    this.#isDown = false;
  }

  #pass(client: Socket, server: Socket): void {
    const path: Path = { ends: [client, server], isFrozen: false };
    this.#paths.add(path);
    for (const [from, to] of [[client, server], [server, client]] as const) {
      from.on("data", (bytes) => path.isFrozen || to.write(bytes));
      from.on("error", () => {});
      from.on("close", () => {
        this.#paths.delete(path);
        if (!path.isFrozen) to.destroy();
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
