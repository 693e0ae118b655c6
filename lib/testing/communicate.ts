import type { ConsumerClass } from "../routing/mod.ts";
import { route, router } from "../routing/mod.ts";
import type { Application, Scope } from "../scope.ts";
import { type HandlerOptions, type RequestInfo, toHandler } from "../server/mod.ts";
import { FakeTransport, type SocketClosed } from "./fake_socket.ts";
import { settle } from "./fake_clock.ts";

/** Options of {@linkcode communicate}. */
export interface CommunicateOptions extends Omit<HandlerOptions, "transport"> {
  /** Path and query of the request. @default {"/"} */
  readonly path?: string;
  readonly headers?: HeadersInit;
  /** What the peer offers. */
  readonly subprotocols?: readonly string[];
  /** What middleware would have added to the scope: a user, a layer, parameters. */
  readonly scope?: Readonly<Record<string, unknown>>;
  /** The peer's address. @default {"127.0.0.1"} */
  readonly address?: string;
  /** How long a test waits for what does not come before it fails, in milliseconds. @default {1000} */
  readonly timeoutMs?: number;
}

/** How a connection attempt went. */
export type ConnectResult =
  | { readonly accepted: true; readonly subprotocol: string | undefined; readonly headers: Headers }
  | { readonly accepted: false; readonly status: number; readonly code: string };

/**
 * Talks to a consumer, or to a whole application, without a network: what Channels calls a
 * communicator.
 *
 * Nothing in it sleeps. What is waited for and does not come fails the test after `timeoutMs`.
 */
export function communicate<S>(
  target: ConsumerClass<S> | Application<S>,
  options: CommunicateOptions = {},
): Communicator {
  return new Communicator(target as Application<unknown>, options);
}

/** The peer of a consumer under test: see {@linkcode communicate}. */
export class Communicator {
  readonly #options: CommunicateOptions;
  readonly #transport: FakeTransport;
  readonly #handle: (request: Request, info: RequestInfo) => Promise<Response>;
  #taken = 0;
  #changed: (() => void) | undefined;

  constructor(target: Application<unknown>, options: CommunicateOptions) {
    this.#options = options;
    this.#transport = new FakeTransport(() => this.#changed?.());
    const application: Application<Scope> = isClass(target)
      ? router<Scope>([route("/*", target)])
      : target;
    const withExtras: Application<Scope> = (scope) =>
      application(Object.assign(scope, options.scope));
    this.#handle = toHandler(withExtras, { ...options, transport: this.#transport });
  }

  /** Sends the request of an upgrade. */
  async connect(): Promise<ConnectResult> {
    const response = await this.request({
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...offer(this.#options.subprotocols),
    });
    const { socket, subprotocol, headers } = this.#transport;
    if (socket === undefined) {
      const body = await response.json().catch(() => ({}));
      return { accepted: false, status: response.status, code: String(body.code ?? "") };
    }
    socket.peer.open();
    await settle();
    return { accepted: true, subprotocol, headers };
  }

  /** Sends a request with the options' headers and `headers`: a plain `GET`. */
  request(headers: Record<string, string> = {}): Promise<Response> {
    const { path = "/", address = "127.0.0.1" } = this.#options;
    const all = new Headers(this.#options.headers);
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    const request = new Request(new URL(path, "http://sluice.test"), { headers: all });
    return this.#handle(request, { remoteAddr: { hostname: address, port: 1 } });
  }

  /** Sends a message to the consumer. */
  send(data: string | Uint8Array): void {
    this.#socket.peer.message(data);
  }

  /** Sends a frame to the consumer. */
  sendJson(frame: unknown): void {
    this.send(JSON.stringify(frame));
  }

  /** Waits for the next message of the consumer. */
  async receive(): Promise<string | Uint8Array> {
    await this.#until(() => this.#socket.sent.length > this.#taken, "a message");
    return this.#socket.sent[this.#taken++]!;
  }

  /** Waits for the next message of the consumer, and reads it as one frame. */
  async receiveJson(): Promise<Record<string, unknown>> {
    const data = await this.receive();
    if (typeof data !== "string") throw new TypeError("Expected a text message, got a binary one");
    return JSON.parse(data);
  }

  /** Returns whether nothing more comes once everything has settled. */
  async receivesNothing(): Promise<boolean> {
    await settle();
    return this.#socket.sent.length === this.#taken;
  }

  /** Waits until the server closes the socket. */
  async closed(): Promise<SocketClosed> {
    await this.#until(() => this.#socket.closed !== undefined, "a close");
    return this.#socket.closed!;
  }

  /** Closes the socket from the peer's end. */
  async disconnect(code = 1000, reason = ""): Promise<void> {
    this.#socket.peer.close(code, reason);
    await settle();
  }

  /** Says how many bytes wait for the peer: one that reads slowly. */
  stall(bufferedAmount: number): void {
    this.#socket.bufferedAmount = bufferedAmount;
  }

  get #socket() {
    const { socket } = this.#transport;
    if (socket === undefined) {
      throw new TypeError("The peer is not connected: connect() comes first");
    }
    return socket;
  }

  #until(isThere: () => boolean, what: string): Promise<void> {
    if (isThere()) return Promise.resolve();
    const timeoutMs = this.#options.timeoutMs ?? 1000;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`Expected ${what} within ${timeoutMs} ms, and none came`));
      }, timeoutMs);
      this.#changed = () => {
        if (!isThere()) return;
        clearTimeout(timer);
        this.#changed = undefined;
        resolve();
      };
    });
  }
}

function isClass(target: unknown): target is ConsumerClass<Scope> {
  return typeof target === "function" && typeof target.prototype?.start === "function";
}

function offer(subprotocols: readonly string[] | undefined): Record<string, string> {
  if (subprotocols === undefined || subprotocols.length === 0) return {};
  return { "sec-websocket-protocol": subprotocols.join(", ") };
}
