type Listener = (event: { type: string; data?: unknown; code?: number; reason?: string }) => void;

/** The sockets of a test, so that it can cut them. */
export class SocketCutter {
  readonly #open = new Set<CuttableSocket>();
  /** Called with each text message before the client gets it; `false` cuts the socket instead. */
  lets: (text: string) => boolean = () => true;
  cuts = 0;

  /** A `WebSocket` for the environment of a client. */
  get WebSocket(): new (url: string, protocols: string[]) => CuttableSocket {
    const context: CutContext = {
      opened: (socket) => void this.#open.add(socket),
      closed: (socket) => void this.#open.delete(socket),
      lets: (text) => this.lets(text),
      cut: () => void this.cuts++,
    };
    return class extends CuttableSocket {
      constructor(url: string, protocols: string[]) {
        super(new WebSocket(url, protocols), context);
      }
    };
  }

  /** Cuts one of the open sockets, as if the network had failed. */
  cutOne(random: () => number): void {
    const sockets = [...this.#open];
    sockets[Math.floor(random() * sockets.length)]?.cut();
  }
}

interface CutContext {
  opened(socket: CuttableSocket): void;
  closed(socket: CuttableSocket): void;
  lets(text: string): boolean;
  cut(): void;
}

/** A socket that can be cut: from then on, its client hears only that it was lost. */
export class CuttableSocket {
  readonly #socket: WebSocket;
  readonly #context: CutContext;
  readonly #listeners = new Map<string, Listener>();
  #isOver = false;

  constructor(socket: WebSocket, context: CutContext) {
    this.#socket = socket;
    this.#context = context;
    socket.onopen = () => {
      context.opened(this);
      this.#emit("open", {});
    };
    socket.onmessage = ({ data }) => {
      if (context.lets(data)) this.#emit("message", { data });
      else this.cut();
    };
    socket.onclose = ({ code, reason }) => this.#end(code, reason);
    socket.onerror = () => {};
  }

  get readyState(): number {
    return this.#isOver ? 3 : this.#socket.readyState;
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, listener);
  }

  send(text: string): void {
    if (!this.#isOver) this.#socket.send(text);
  }

  close(code?: number): void {
    this.#context.closed(this);
    this.#socket.close(code);
  }

  cut(): void {
    if (this.#isOver) return;
    this.#context.cut();
    this.#socket.close();
    this.#end(1006, "");
  }

  #end(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#context.closed(this);
    this.#emit("close", { code: code || 1006, reason });
    this.#isOver = true;
  }

  #emit(type: string, event: { data?: unknown; code?: number; reason?: string }): void {
    if (!this.#isOver) this.#listeners.get(type)?.({ type, ...event });
  }
}
