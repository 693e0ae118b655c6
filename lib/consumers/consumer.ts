import { andThen, isPromise } from "../promises.ts";
import { SUBPROTOCOL } from "../protocol/mod.ts";
import type { AcceptOptions, Scope } from "../scope.ts";
import { AcceptConnection } from "./accept_connection.ts";
import { BaseConsumer, joinGroups, NOTHING_TO_JOIN } from "./base_consumer.ts";

/**
 * Serves one connection: a class of yours extends it, and one instance is made for each connection.
 *
 * Its methods run one at a time and in order. What one of them throws is logged with its stack and
 * closes the socket with 1011, without a word of it to the peer.
 *
 * @example
 * ```ts
 * import { Consumer } from "@sluice/sluice/consumers";
 * import { communicate } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * class Shout extends Consumer {
 *   override receive(data: string | Uint8Array) {
 *     this.send(String(data).toUpperCase());
 *   }
 * }
 *
 * const peer = communicate(Shout);
 * await peer.connect();
 * peer.send("hello");
 * assert.equal(await peer.receive(), "HELLO");
 * ```
 */
export abstract class Consumer<out S extends Scope = Scope> extends BaseConsumer<S> {
  #joined: Promise<void> | undefined;

  /** Subprotocols that it speaks; the first that the client offers is selected. */
  get subprotocols(): readonly string[] {
    return [SUBPROTOCOL];
  }

  /**
   * Called by the server: {@linkcode connect}, then what belongs to being in; in one turn where nothing of
   * it has to be waited for. Not for overriding.
   */
  start(): void | Promise<void> {
    return andThen(this.authorize(), (may) => {
      if (!may) return this.deny();
      return andThen(this.#connect(), () => this.#joined);
    });
  }

  /**
   * Decides whether to let the client in: {@linkcode accept} or `deny()`. By default it does. To
   * decide from deeper in the code throw {@linkcode AcceptConnection} or a `Refusal`.
   */
  connect(): void | Promise<void> {
    this.accept();
  }

  /**
   * Lets the client in, at once, and joins `groups`: wait for it before you send to one of them.
   * Nothing after it runs where the request is no upgrade.
   *
   * @throws {StopConsumer} At once, not by its promise: the request is no upgrade, or the connection
   * is over.
   */
  accept(options: AcceptOptions = {}): Promise<void> {
    const { subprotocols, connection } = this.scope;
    const own = this.subprotocols;
    const subprotocol = options.subprotocol ?? subprotocols.find((name) => own.includes(name));
    connection.accept({ ...options, subprotocol });
    const joined = joinGroups(this);
    if (joined !== NOTHING_TO_JOIN) this.#joined = joined;
    return joined;
  }

  /** Sends a message to the client. False where it was dropped: the connection is over. */
  send(data: string | Uint8Array): boolean {
    return this.scope.connection.send(data);
  }

  #connect(): void | Promise<void> {
    const accepted = (error: unknown) => {
      if (!(error instanceof AcceptConnection)) throw error;
      // That joining failed is known from `#joined`.
      void this.accept(error.options).catch(() => {});
    };
    try {
      const connecting = this.connect();
      if (isPromise(connecting)) return connecting.then(undefined, accepted);
    } catch (error) {
      accepted(error);
    }
  }
}
