import type { ChannelLayer, GroupSendOptions, GroupSendResult, LayerScope } from "../layers/mod.ts";
import { CloseCode, Refusal, type RefusalCode } from "../protocol/mod.ts";
import {
  type Consumer as ConsumerContract,
  type LayerGap,
  type LayerMessage,
  type Scope,
  type SlowReaderPolicy,
  UnhandledMessageError,
} from "../scope.ts";
import { Membership } from "./membership.ts";
import { type GroupPolicy, Policies } from "./policies.ts";

/** What consumers of sockets and of plain requests have in common: a scope, a channel, groups. */
export abstract class BaseConsumer<out S extends Scope = Scope> implements ConsumerContract {
  /** What is known of the connection. */
  readonly scope: S;
  /** Which of the scope's layers this consumer uses. */
  readonly layerAlias: string = "default";
  /** What happens to a client that reads too slowly. @default {"close"} */
  declare readonly slowReader?: SlowReaderPolicy;
  #membership: Membership | undefined;
  #policies: Policies | undefined;

  constructor(scope: S) {
    this.scope = scope;
  }

  /** Groups to join as soon as the client is in: after `connect()` has accepted, never before. */
  get groups(): readonly string[] {
    return [];
  }

  /** Called by the server, once. Not for overriding. */
  abstract start(): void | Promise<void>;

  /**
   * Whether the client may be here, by what the scope knows now: asked before `connect()`, and again
   * whenever the scope changes, at once, beside whatever method runs. Where it says no, or throws, the
   * client is turned away with 403, or the connection ended with 4403.
   */
  authorize(): boolean | Promise<boolean> {
    return true;
  }

  /** Called when parts of the scope, such as `user` or `session`, were replaced. */
  scopeChanged(_parts: readonly string[]): void | Promise<void> {}

  /** Called when a policy withdrew a group: the client is not in it any more. */
  groupWithdrawn(_group: string): void | Promise<void> {}

  /** Called by the server when the scope has changed. Not for overriding. */
  async authorizeAgain(): Promise<void> {
    const rechecked = this.#policies?.recheck();
    rechecked?.catch(() => {}); // Awaited below, if the client may stay.
    if (await this.#mayStay()) return await rechecked;
    this.close(CloseCode.forbidden, "permission withdrawn");
  }

  /** Handles a message of the client. */
  receive(_data: string | Uint8Array): void | Promise<void> {}

  /**
   * Handles a message of the channel layer.
   *
   * @throws {UnhandledMessageError} There is no handler for it: the server drops the message.
   */
  event(message: LayerMessage): void | Promise<void> {
    throw new UnhandledMessageError(message.type);
  }

  /**
   * Called when this process was cut off from the others and is back: messages of groups may have been
   * missed, and whoever keeps state fetches it anew. What is sent from then on arrives.
   */
  gap(_gap: LayerGap): void | Promise<void> {}

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

  /**
   * Adds this connection to a group, until its end.
   *
   * With `authorize`, only where it says yes; it is asked again whenever the scope changes, and takes
   * the connection out of the group where it says no or throws: see {@linkcode groupWithdrawn}.
   *
   * @throws {FrameError} `FORBIDDEN`: the policy says no.
   */
  async groupAdd(group: string, options: { authorize?: GroupPolicy<S> } = {}): Promise<void> {
    const { authorize } = options;
    if (authorize === undefined) return await this.#channel.add(group);
    const channel = this.#channel;
    this.#policies ??= new Policies({
      connection: this.scope.connection,
      add: (group) => channel.add(group),
      discard: (group) => channel.discard(group),
      withdrawn: (group) => this.groupWithdrawn(group),
    });
    await this.#policies.add(group, () => authorize(this.scope, group));
  }

  /** Takes this connection out of a group. */
  groupDiscard(group: string): Promise<void> {
    return this.#policies?.discard(group) ?? this.#channel.discard(group);
  }

  /** Sends to every connection in a group, this one among them where it is a member. */
  groupSend(
    group: string,
    message: LayerMessage,
    options?: GroupSendOptions,
  ): Promise<GroupSendResult> {
    return this.channelLayer.groupSend(group, message, options);
  }

  async #mayStay(): Promise<boolean> {
    try {
      return await this.authorize();
    } catch (error) {
      const { log, id } = this.scope.connection;
      log.error("Consumer failed to authorize", { connection: id, error });
      return false;
    }
  }

  get #channel(): Membership {
    return this.#membership ??= joinLayer(this.scope, this.layerAlias);
  }
}

/** What {@linkcode joinGroups} returns where a consumer names none: the same for all. */
export const NOTHING_TO_JOIN: Promise<void> = Promise.resolve();

/** Joins the groups that a consumer names; whoever waits for it learns what went wrong. */
export function joinGroups(consumer: BaseConsumer): Promise<void> {
  const { groups } = consumer;
  if (groups.length === 0) return NOTHING_TO_JOIN;
  const joined = Promise.all(groups.map((group) => consumer.groupAdd(group))).then(
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
