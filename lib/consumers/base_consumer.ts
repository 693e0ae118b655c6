import type { ChannelLayer, LayerScope } from "../layers/mod.ts";
import type { GroupSendOptions, GroupSendResult } from "../layers/channel_layer.ts";
import { CloseCode, Refusal } from "../protocol/mod.ts";
import {
  type ConnectionHandler,
  type LayerGap,
  type LayerMessage,
  StopConsumer,
  UnhandledMessageError,
} from "../core/consumer.ts";
import type { Connection } from "../core/connection.ts";
import type { Scope } from "../core/scope.ts";
import { Policies } from "./policies.ts";
import type { RefusalCode } from "../protocol/refusal.ts";

/**
 * The common base of socket and plain request consumers: a scope, a channel and groups. `Sent` is what
 * it sends to groups.
 *
 * @internal
 */
export abstract class BaseConsumer<out S extends Scope = Scope, in Sent = LayerMessage>
  implements ConnectionHandler {
  /** The scope of the connection. */
  readonly scope: S;
  /** Alias of the channel layer that this consumer uses. */
  readonly layerAlias: string = "default";
  /** The policy for a client that reads too slowly. @default {"close"} */
  declare readonly slowReader?: "close" | "drop-oldest" | "latest";
  #membership: Membership | undefined;
  #policies: Policies | undefined;

  /** Called by the router for each connection. */
  constructor(scope: S) {
    this.scope = scope;
  }

  /** Groups to join right after `connect()` has accepted the client, never before. */
  get groups(): readonly string[] {
    return [];
  }

  /** Called once by the server. Do not override. */
  abstract start(): void | Promise<void>;

  /**
   * Returns whether the client has permission, based on the current scope. Called before `connect()`,
   * and again at once when the scope changes, even while a method is running. If it returns false or
   * throws, the client is refused with 403, or the connection is closed with 4403.
   */
  authorize(): boolean | Promise<boolean> {
    return true;
  }

  /** Called when parts of the scope, such as `user` or `session`, were replaced. */
  scopeChanged(_parts: readonly string[]): void | Promise<void> {}

  /** Called when a policy removed the connection from a group. */
  onGroupRevoked(_group: string): void | Promise<void> {}

  /** Called by the server when the scope has changed. Do not override. */
  async reauthorize(): Promise<void> {
    const rechecked = this.#policies?.recheck();
    rechecked?.catch(() => {}); // Awaited below, if the client may stay.
    if (await this.#mayStay()) return await rechecked;
    this.close(CloseCode.forbidden, "permission withdrawn");
  }

  /** Handles a client message. */
  receive(_data: string | Uint8Array): void | Promise<void> {}

  /**
   * Handles a layer message.
   *
   * @throws {UnhandledMessageError} There is no handler; the server drops the message.
   */
  event(message: LayerMessage): void | Promise<void> {
    throw new UnhandledMessageError(message.type);
  }

  /**
   * Called when this process reconnects to the others after an interruption. Group messages may have
   * been missed, so reload cached state. Messages sent from then on arrive.
   */
  gap(_gap: LayerGap): void | Promise<void> {}

  /** Called exactly once after an accepted connection has ended. */
  disconnect(_code: number, _reason: string): void | Promise<void> {}

  /**
   * Refuses the client before it is accepted: with 403 `FORBIDDEN` by default.
   *
   * *Security*: `detail` is sent to the peer.
   */
  refuse(code: RefusalCode | (string & Record<never, never>) = "FORBIDDEN", detail?: string): void {
    this.scope.connection.refuse(new Refusal(code, { detail }));
  }

  /** Ends the connection. */
  close(code = 1000, reason = ""): void {
    this.scope.connection.end(code, reason);
  }

  /** The channel layer that this consumer uses. */
  get channelLayer(): ChannelLayer {
    return this.#channel.layer;
  }

  /** The channel name of this connection. Any process that knows it can send to this consumer. */
  get channelName(): string {
    return this.#channel.name;
  }

  /**
   * Adds this connection to a group until it ends.
   *
   * With `authorize`, the connection is added only if the policy allows it. The policy runs again
   * whenever the scope changes, and removes the connection from the group if it denies access or
   * throws: see {@linkcode onGroupRevoked}.
   *
   * @throws {FrameError} `FORBIDDEN`: the policy denies access.
   */
  async groupAdd(group: string, options: {
    /** Returns whether the client may be in the group, based on the current scope. */
    readonly authorize?: (scope: S, group: string) => boolean | Promise<boolean>;
  } = {}): Promise<void> {
    const { authorize } = options;
    if (authorize === undefined) return await this.#channel.add(group);
    const channel = this.#channel;
    this.#policies ??= new Policies({
      connection: this.scope.connection,
      add: (group) => channel.add(group),
      discard: (group) => channel.discard(group),
      revoked: (group) => this.onGroupRevoked(group),
    });
    await this.#policies.add(group, () => authorize(this.scope, group));
  }

  /** Whether this connection is in a group that it joined with a policy. */
  isMember(group: string): boolean {
    return this.#policies?.isMember(group) ?? false;
  }

  /** Runs the policy of a group again. Returns whether this connection is in the group. */
  async confirmMember(group: string): Promise<boolean> {
    return await this.#policies?.confirm(group) ?? false;
  }

  /** Removes this connection from a group. */
  groupDiscard(group: string): Promise<void> {
    return this.#policies?.discard(group) ?? this.#channel.discard(group);
  }

  /**
   * Sends to every connection in a group, including this one if it is a member. A type that a
   * `JsonConsumer` declares for clients is forwarded to them.
   */
  groupSend(
    group: string,
    message: Sent,
    options?: GroupSendOptions,
  ): Promise<GroupSendResult> {
    return this.channelLayer.groupSend(group, message as Sent & LayerMessage, options);
  }

  async #mayStay(): Promise<boolean> {
    try {
      return await this.authorize();
    } catch (error) {
      const { log, id } = this.scope.connection;
      log.error("Consumer failed in authorize()", { connection: id, error });
      return false;
    }
  }

  get #channel(): Membership {
    return this.#membership ??= joinLayer(this.scope, this.layerAlias);
  }
}

/** Returned by {@linkcode joinGroups} if a consumer has no groups; shared by all. */
export const NOTHING_TO_JOIN: Promise<void> = Promise.resolve();

/** Joins the consumer's groups. The promise reports errors. */
export function joinGroups(
  consumer: Pick<BaseConsumer, "groups" | "groupAdd">,
): Promise<void> {
  const { groups } = consumer;
  if (groups.length === 0) return NOTHING_TO_JOIN;
  const joined = Promise.all(groups.map((group) => consumer.groupAdd(group))).then(
    () => {},
  );
  joined.catch(() => {}); // start() also awaits it and reports errors.
  return joined;
}

function joinLayer(scope: Scope & Partial<LayerScope>, alias: string): Membership {
  const layer = scope.layers?.[alias];
  if (layer === undefined) {
    throw new TypeError(`No channel layer "${alias}": wrap the router with withLayer()`);
  }
  return new Membership(layer, scope.connection);
}

/** The channel of a connection on a layer. It exists, with its groups, until the connection ends. */
class Membership {
  readonly layer: ChannelLayer;
  readonly name: string;
  readonly #connection: Connection;

  constructor(layer: ChannelLayer, connection: Connection) {
    if (connection.phase === "ended") throw new StopConsumer("The connection has ended");
    this.layer = layer;
    this.#connection = connection;
    this.name = layer.newChannel();
    connection.onEnd(layer.attach(this.name, connection));
  }

  /** Adds the channel to a group. If the connection ends meanwhile, it is in no group afterwards. */
  async add(group: string): Promise<void> {
    this.#assertOpen();
    await this.layer.groupAdd(group, this.name);
    if (this.#connection.phase !== "ended") return;
    await this.layer.groupDiscard(group, this.name);
    throw new StopConsumer("The connection has ended");
  }

  discard(group: string): Promise<void> {
    return this.layer.groupDiscard(group, this.name);
  }

  #assertOpen(): void {
    const { phase } = this.#connection;
    if (phase === "ended") throw new StopConsumer("The connection has ended");
    if (phase === "deciding") {
      throw new TypeError("Cannot join a group before the client is accepted: call accept() first");
    }
  }
}
