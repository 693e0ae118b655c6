import type { Socket, SocketEvents, Transport } from "../core/transport.ts";

/** The server's end of a socket without a network; records what the server sends. */
export class FakeSocket implements Socket {
  /** Bytes queued for the peer, set by the test to simulate a slow reader. */
  bufferedAmount = 0;
  readonly sent: (string | Uint8Array)[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly #events: SocketEvents;
  readonly #changed: () => void;

  constructor(events: SocketEvents, changed: () => void) {
    this.#events = events;
    this.#changed = changed;
  }

  /** The actions of the peer. */
  get peer(): SocketEvents {
    return this.#events;
  }

  send(data: string | Uint8Array): void {
    this.sent.push(data);
    this.#changed();
  }

  close(code: number, reason: string): void {
    this.closed ??= { code, reason };
    this.#changed();
  }
}

/** A transport without a network. */
export class FakeTransport implements Transport {
  socket: FakeSocket | undefined;
  subprotocol: string | undefined;
  headers: Headers = new Headers();
  readonly #changed: () => void;

  constructor(changed: () => void = () => {}) {
    this.#changed = changed;
  }

  upgrade(
    _request: Request,
    events: SocketEvents,
    options: { subprotocol: string | undefined; headers: HeadersInit | undefined },
  ): { response: Response; socket: Socket } {
    this.subprotocol = options.subprotocol;
    this.headers = new Headers(options.headers);
    this.socket = new FakeSocket(events, this.#changed);
    return { response: new Response(), socket: this.socket };
  }
}
