import type { Application } from "../core/scope.ts";
import type { ConsumerClass } from "../routing/router.ts";
import { SUBPROTOCOL } from "../protocol/limits.ts";
import { settle } from "./fake_clock.ts";
import { FakeTransport } from "./fake_socket.ts";
import { type TestOptions, type TestTarget, UnderTest } from "./under_test.ts";

/**
 * Talks to a consumer or an application without a network, like the `WebsocketCommunicator` of
 * Channels.
 *
 * Nothing in it sleeps. A wait that gets nothing fails the test after `timeoutMs`. Errors of the
 * consumer are thrown by the next method; `raise: false` shows what a peer would see.
 *
 * Common mistakes:
 *
 * - *A test passes although the consumer failed*: nothing was awaited after the failure. Write
 *   `await using peer = communicate(…)`; its disposal throws any error that is left.
 * - *`receive()` times out*: the consumer waits for time to pass. Pass in a `FakeClock` and call
 *   `await clock.advance(ms)`; nothing here sleeps.
 * - *A group message does not arrive*: the consumer was not yet a member. `await` the sender's
 * promise,
 *   and call `accept()` before `groupAdd()`.
 * - *`receivesNothing()` is true too early*: it waits for promises and one turn of the event loop, not
 *   for a database, a network or a system timer.
 * - *Tests affect each other*: they share a layer. Create one `MemoryChannelLayer` per test.
 *
 * @example
 * ```ts
 * import { Consumer } from "@sluice/sluice";
 * import { communicate } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * class Echo extends Consumer {
 *   override receive(data: string | Uint8Array) {
 *     this.send(data);
 *   }
 * }
 *
 * await using peer = communicate(Echo, { path: "/ws/echo" });
 * assert.equal((await peer.connect()).accepted, true);
 * peer.send("hello");
 * assert.equal(await peer.receive(), "hello");
 * await peer.disconnect();
 * await peer.wait();
 * ```
 */
export function communicate<S>(
  target: ConsumerClass<S> | Application<S>,
  options: TestOptions = {},
): Communicator {
  return new Communicator(target as TestTarget<never>, options);
}

/**
 * The peer of a consumer under test: see {@linkcode communicate}.
 *
 * @example
 * ```ts
 * import { Consumer } from "@sluice/sluice";
 * import { communicate, type Communicator } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * class Silent extends Consumer {}
 *
 * await using peer: Communicator = communicate(Silent);
 * assert.equal((await peer.connect()).accepted, true);
 * assert.equal(await peer.receivesNothing(), true);
 * ```
 */
export class Communicator implements AsyncDisposable {
  readonly #options: TestOptions;
  readonly #transport: FakeTransport;
  readonly #target: UnderTest;
  #taken = 0;
  /** Frames of the last message that have not been read. */
  #lines: string[] = [];

  /** Created by {@linkcode communicate}. */
  constructor(target: TestTarget<never>, options: TestOptions) {
    this.#options = options;
    this.#transport = new FakeTransport(() => this.#target.changed());
    this.#target = new UnderTest(target, options, this.#transport);
  }

  /** Sends an upgrade request. */
  async connect(): Promise<
    | {
      readonly accepted: true;
      readonly subprotocol: string | undefined;
      readonly headers: Headers;
    }
    | { readonly accepted: false; readonly status: number; readonly code: string }
  > {
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
    this.#target.raise();
    return { accepted: true, subprotocol, headers };
  }

  /** Sends a plain `GET` request with the options' headers and `headers`. */
  async request(headers: Record<string, string> = {}): Promise<Response> {
    const response = await this.#target.request({ headers });
    this.#target.raise();
    return response;
  }

  /** Sends a message to the consumer. */
  send(data: string | Uint8Array): void {
    this.#socket.peer.message(data);
  }

  /** Sends a frame to the consumer. */
  sendJson(frame: unknown): void {
    this.send(JSON.stringify(frame));
  }

  /** Waits for the next message of the consumer. Rejects if the socket is closed instead. */
  async receive(): Promise<string | Uint8Array> {
    const socket = this.#socket;
    const isThere = () => socket.sent.length > this.#taken;
    await this.#target.until(() => isThere() || socket.closed !== undefined, "a message");
    if (isThere()) return socket.sent[this.#taken++]!;
    const { code, reason } = socket.closed!;
    throw new Error(`Expected a message, but the socket was closed: ${code} ${reason}`);
  }

  /** Waits for the next message of the consumer and parses it as one frame. */
  async receiveJson(): Promise<Record<string, unknown>> {
    if (this.#lines.length === 0) {
      const data = await this.receive();
      if (typeof data !== "string") {
        throw new TypeError("Expected a text message, got a binary one");
      }
      const isLines = this.#transport.subprotocol === SUBPROTOCOL;
      this.#lines = isLines ? data.split("\n") : [data];
    }
    return JSON.parse(this.#lines.shift()!);
  }

  /** Waits until everything has settled, and returns whether no message arrived. */
  async receivesNothing(): Promise<boolean> {
    await settle();
    this.#target.raise();
    return this.#socket.sent.length === this.#taken && this.#lines.length === 0;
  }

  /** Waits until the server closes the socket. */
  async closed(): Promise<{ readonly code: number; readonly reason: string }> {
    await this.#target.until(() => this.#socket.closed !== undefined, "a close");
    return this.#socket.closed!;
  }

  /** Closes the socket as the peer. */
  async disconnect(code = 1000, reason = ""): Promise<void> {
    this.#socket.peer.close(code, reason);
    await settle();
    this.#target.raise();
  }

  /** Waits until the consumer has finished, including its `disconnect()`. */
  wait(): Promise<void> {
    return this.#target.over();
  }

  /** Sets the number of bytes queued for the peer, to simulate a slow reader. */
  stall(bufferedAmount: number): void {
    this.#socket.bufferedAmount = bufferedAmount;
  }

  /** Disconnects, and throws any error of the consumer that is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#transport.socket?.peer.close(1001, "");
    await settle();
    this.#target.raise();
  }

  get #socket() {
    const { socket } = this.#transport;
    if (socket === undefined) {
      throw new TypeError("The peer is not connected: call connect() first");
    }
    return socket;
  }
}

function offer(subprotocols: readonly string[] | undefined): Record<string, string> {
  if (subprotocols === undefined || subprotocols.length === 0) return {};
  return { "sec-websocket-protocol": subprotocols.join(", ") };
}
