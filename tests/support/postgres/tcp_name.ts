import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A loopback port that stands for a name: connections go to the server that it means at the time. */
export class TcpName implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: number;
  #isCut = false;
  #isSilent = false;
  /** Writes that are held until the end of a silence. */
  #held: (() => void)[] = [];

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((socket) => this.#forward(socket));
  }

  /** Opens a port that means another one. */
  static async open(target: number): Promise<TcpName> {
    const name = new TcpName(target);
    await new Promise<void>((resolve) => name.#server.listen(0, "127.0.0.1", resolve));
    return name;
  }

  /** The port of the name. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Moves the name, and ends a cut or a silence. Open connections are not moved. */
  move(target: number): void {
    this.#target = target;
    this.#isCut = this.#isSilent = false;
    for (const send of this.#held.splice(0)) send();
  }

  /** Forwards nothing until the name is moved, like a network that loses every packet. */
  silence(): void {
    this.#isSilent = true;
  }

  /** Ends all connections, and refuses others until the name is moved. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #forward(socket: Socket): void {
    if (this.#isCut) return void socket.destroy();
    const onward = connect(this.#target, "127.0.0.1");
    for (const [one, other] of [[socket, onward], [onward, socket]] as const) {
      this.#sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.on("data", (bytes) => {
        const send = () => void other.write(bytes);
        if (this.#isSilent) this.#held.push(send);
        else send();
      });
    }
  }
}
