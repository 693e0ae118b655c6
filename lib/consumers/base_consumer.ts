import type { ChannelLayer, GroupSendOptions, GroupSendResult, LayerScope } from "../layers/mod.ts";
import { Refusal, type RefusalCode } from "../protocol/mod.ts";
import type { Consumer as ConsumerContract, LayerMessage, Scope } from "../scope.ts";
import { Membership } from "./membership.ts";

/** What consumers of sockets and of plain requests have in common: a scope, a channel, groups. */
export abstract class BaseConsumer<out S extends Scope = Scope> implements ConsumerContract {
  /** What is known of the connection. */
  readonly scope: S;
  /** Which of the scope's layers this consumer uses. */
  readonly layerAlias: string = "default";
  #membership: Membership | undefined;

  constructor(scope: S) {
    this.scope = scope;
  }

  /** Groups to join as soon as the client is in: after `connect()` has accepted, never before. */
  get groups(): readonly string[] {
    return [];
  }

  /** Called by the server, once. Not for overriding. */
  abstract start(): Promise<void>;

  /** Handles a message of the client. */
  receive(_data: string | Uint8Array): void | Promise<void> {}

  /** Handles a message of the channel layer. */
  event(message: LayerMessage): void | Promise<void> {
    throw new TypeError(`Cannot handle the layer's message "${message.type}": no handler for it`);
  }

  /** Called exactly once after the end of a connection that was accepted. */
  disconnect(_code: number, _reason: string): void | Promise<void> {}

  /**
   * Turns the client away, before it was let in: by default 403 `FORBIDDEN`.
   *
   * *Security*: `detail` is sent to the peer.
   */
  deny(code: RefusalCode | (string & Record<never, never>) = "FORBIDDEN", detail?: string): void {
    this.scope.connection.refuse(new Refusal(code, { detail }));
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

/** Joins the groups that a consumer names; whoever waits for it learns what went wrong. */
export function joinGroups(consumer: BaseConsumer): Promise<void> {
  const joined = Promise.all(consumer.groups.map((group) => consumer.groupAdd(group))).then(
    () => {},
  );
  joined.catch(() => {}); // start() waits for it too, and reports what went wrong.
  return joined;
}

function joinLayer(scope: Scope & Partial<LayerScope>, alias: string): Membership {
  const layer = scope.layers?.[alias];
  if (layer === undefined) {
    throw new TypeError(`No channel layer "${alias}": put withLayer() around the router`);
  }
  return new Membership(layer, scope.connection);
}
