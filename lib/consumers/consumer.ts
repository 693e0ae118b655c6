import type { ChannelLayer, GroupSendOptions, GroupSendResult, LayerScope } from "../layers/mod.ts";
import { Refusal, type RefusalCode, SUBPROTOCOL } from "../protocol/mod.ts";
import {
  type AcceptOptions,
  type Consumer as ConsumerContract,
  type LayerMessage,
  type Scope,
} from "../scope.ts";
import { Membership } from "./membership.ts";

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
export abstract class Consumer<out S extends Scope = Scope> implements ConsumerContract {
  /** What is known of the connection. */
  readonly scope: S;
  /** Which of the scope's layers this consumer uses. */
  readonly layerAlias: string = "default";
  #membership: Membership | undefined;
  #joined: Promise<unknown> | undefined;

  constructor(scope: S) {
    this.scope = scope;
  }

  /** Groups to join as soon as the client is in: after `connect()` has accepted, never before. */
  get groups(): readonly string[] {
    return [];
  }

  /** Subprotocols that it speaks; the first that the client offers is selected. */
  get subprotocols(): readonly string[] {
    return [SUBPROTOCOL];
  }

  /** Called by the server: {@linkcode connect}, then what belongs to being in. Not for overriding. */
  async start(): Promise<void> {
    await this.connect();
    await this.#joined;
  }

  /** Decides whether to let the client in: {@linkcode accept} or {@linkcode deny}. By default it does. */
  connect(): void | Promise<void> {
    this.accept();
  }

  /** Handles a message of the client. */
  receive(_data: string | Uint8Array): void | Promise<void> {}

  /** Handles a message of the channel layer. */
  event(message: LayerMessage): void | Promise<void> {
    throw new TypeError(`Cannot handle the layer's message "${message.type}": no handler for it`);
  }

  /** Called exactly once after the end of a connection that was accepted. */
  disconnect(_code: number, _reason: string): void | Promise<void> {}

  /**
   * Lets the client in, at once, and joins {@linkcode groups}: wait for it before you send to one of
   * them. Nothing after it runs where the request is no upgrade.
   *
   * @throws {StopConsumer} At once, not by its promise: the request is no upgrade, or the connection
   * is over.
   */
  accept(options: AcceptOptions = {}): Promise<void> {
    const { subprotocols, connection } = this.scope;
    const own = this.subprotocols;
    const subprotocol = options.subprotocol ?? subprotocols.find((name) => own.includes(name));
    connection.accept({ ...options, subprotocol });
    const joined = Promise.all(this.groups.map((group) => this.groupAdd(group))).then(() => {});
    joined.catch(() => {}); // start() waits for it too, and reports what went wrong.
    return this.#joined = joined;
  }

  /**
   * Turns the client away, before it was let in: by default 403 `FORBIDDEN`.
   *
   * *Security*: `detail` is sent to the peer.
   */
  deny(code: RefusalCode | (string & Record<never, never>) = "FORBIDDEN", detail?: string): void {
    this.scope.connection.refuse(new Refusal(code, { detail }));
  }

  /** Sends a message to the client. False where it was dropped: the connection is over. */
  send(data: string | Uint8Array): boolean {
    return this.scope.connection.send(data);
  }

  /** Ends the connection. */
  close(code = 1000, reason = ""): void {
    this.scope.connection.end(code, reason);
  }

  /** The channel layer of this consumer. */
  get channelLayer(): ChannelLayer {
    return this.#channel.layer;
  }

  /** The name of this connection's channel: whoever knows it can send to this consumer. */
  get channelName(): string {
    return this.#channel.name;
  }

  /** Adds this connection to a group, until its end. */
  groupAdd(group: string): Promise<void> {
    return this.#channel.add(group);
  }

  /** Takes this connection out of a group. */
  groupDiscard(group: string): Promise<void> {
    return this.#channel.discard(group);
  }

  /** Sends to every connection in a group, this one among them where it is a member. */
  groupSend(
    group: string,
    message: LayerMessage,
    options?: GroupSendOptions,
  ): Promise<GroupSendResult> {
    return this.channelLayer.groupSend(group, message, options);
  }

  get #channel(): Membership {
    return this.#membership ??= joinLayer(this.scope, this.layerAlias);
  }
}

function joinLayer(scope: Scope & Partial<LayerScope>, alias: string): Membership {
  const layer = scope.layers?.[alias];
  if (layer === undefined) {
    throw new TypeError(`No channel layer "${alias}": put withLayer() around the router`);
  }
  return new Membership(layer, scope.connection);
}
