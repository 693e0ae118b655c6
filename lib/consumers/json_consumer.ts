import type { GroupSendOptions, GroupSendResult } from "../layers/mod.ts";
import { LayerError } from "../layers/mod.ts";
import {
  type ClientFrame,
  CloseCode,
  encodeMessage,
  encodeReply,
  FrameError,
  type GapData,
  type LayerData,
  type LayerType,
  type Messages,
  parseClientFrame,
  parseData,
  parsePing,
  type PingData,
  type PongData,
  type ServerData,
  type ServerType,
  SUBPROTOCOL,
} from "../protocol/mod.ts";
import type { LayerGap, LayerMessage } from "../core/consumer.ts";
import type { Scope } from "../core/scope.ts";
import { Consumer } from "./consumer.ts";
import { encodeOnce, passingOf } from "./encode_once.ts";
import { assertEventHandlers } from "./event_handlers.ts";
import { FramePolicy } from "./frame_policy.ts";
import type { EventHandlers, Handlers, MessageContext } from "./handlers.ts";

/** A message that a consumer with the messages `M` sends. */
export type ServerMessage<M extends Messages> = {
  readonly [T in ServerType<M>]: { readonly type: T; readonly data: ServerData<M, T> };
}[ServerType<M>];

/** A message that consumers with the messages `M` send to each other. */
export type LayerEvent<M extends Messages> = {
  readonly [T in LayerType<M>]: { readonly type: T; readonly data: LayerData<M, T> };
}[LayerType<M>];

type AnyHandler = (data: unknown, context: MessageContext) => unknown;
type AnyEventHandler = (data: unknown) => void | Promise<void>;

/**
 * Serves one connection that uses the frames of `sluice.v1`, with a handler per type of message.
 *
 * Frames are checked before a handler sees them. An invalid frame is refused and the socket stays
 * open; the 20th within a minute closes it with 4400. The return value of a handler is the reply. If a
 * handler throws a `FrameError`, the frame is refused with it. Any other error is logged with its
 * stack and answered with `INTERNAL`; the socket stays open.
 *
 * A layer message whose type is declared under `server` is forwarded to the client as it is, without
 * any code; others go to {@linkcode events}. If `gap` is declared there, as `unchecked<GapData>()`, clients
 * are notified of gaps of the layer, too.
 */
export abstract class JsonConsumer<M extends Messages, S extends Scope = Scope>
  extends Consumer<S> {
  /** The messages of this consumer, from `defineMessages()`. */
  abstract readonly messages: M;
  /** A handler for each type of client message: a `HandlersOf` your class. */
  abstract readonly handlers: Handlers<M, this>;
  /** A handler for each type under `layer`: an `EventHandlersOf` your class. */
  readonly events?: EventHandlers<M, this>;
  #policy: FramePolicy | undefined;

  /**
   * Called by the server. Do not override.
   *
   * @throws {TypeError} A type under `layer` has no handler in {@linkcode events}.
   */
  override start(): void | Promise<void> {
    assertEventHandlers(this);
    return super.start();
  }

  /**
   * Sends a message to the client. Returns false if it was dropped because the connection has ended.
   */
  sendJson(message: ServerMessage<M>): boolean {
    return this.scope.connection.sendFrame(encodeMessage(message.type, message.data));
  }

  /** Sends to every connection in a group. A type declared for clients is forwarded to them. */
  override groupSend(
    group: string,
    message: ServerMessage<M> | LayerEvent<M>,
    options?: GroupSendOptions,
  ): Promise<GroupSendResult> {
    return super.groupSend(group, message as LayerMessage, options);
  }

  override receive(data: string | Uint8Array): void | Promise<void> {
    if (typeof data !== "string") {
      return this.close(CloseCode.unsupportedData, "text messages only");
    }
    if (data.includes("\n") && this.scope.subprotocols.includes(SUBPROTOCOL)) {
      return this.#receiveLines(data);
    }
    return this.#receiveFrame(data);
  }

  override event(message: LayerMessage): void | Promise<void> {
    const { events } = this;
    if (events !== undefined && Object.hasOwn(events, message.type)) {
      const handler = (events as Record<string, AnyEventHandler>)[message.type]!;
      return handler.call(this, message.data);
    }
    if (!Object.hasOwn(this.messages.server, message.type)) return super.event(message);
    this.scope.connection.sendFrame(encodeOnce(message));
  }

  /** Forwards layer messages to the client; undefined if the class overrides `event()`. */
  get forwards(): ((message: LayerMessage) => string | undefined) | undefined {
    return this.event === JsonConsumer.prototype.event ? passingOf(this) : undefined;
  }

  /**
   * Called after a gap of the layer. Notifies the client if `gap` is declared under `server`. Override
   * it to reload cached state.
   */
  override gap({ since, until }: LayerGap): void | Promise<void> {
    if (!Object.hasOwn(this.messages.server, "gap")) return;
    const data: GapData = {
      since: new Date(since).toISOString(),
      until: new Date(until).toISOString(),
    };
    this.scope.connection.sendFrame(encodeMessage("gap", data));
  }

  /** Called by the server. Do not override. */
  answerPing(data: string): string | undefined {
    const ping = parsePing(data);
    if (ping === undefined) return undefined;
    return ping.id === undefined ? "" : encodeReply(ping.id, this.#pong(ping));
  }

  /** Called by the server for a message over the rate limit. */
  onRateLimited(data: string | Uint8Array): void {
    this.#frames.limit(typeof data === "string" ? idOf(data) : undefined);
  }

  async #receiveLines(data: string): Promise<void> {
    const { connection } = this.scope;
    let isPaid = true; // The message pays for its first frame.
    for (const line of data.split("\n")) {
      if (line.trim() === "") continue;
      if (connection.phase === "ended") return;
      isPaid ||= parsePing(line) !== undefined && connection.takePing();
      if (isPaid || connection.takeMessage()) await this.#receiveFrame(line);
      else this.onRateLimited(line);
      isPaid = false;
    }
  }

  #receiveFrame(text: string): void | Promise<void> {
    let id: string | undefined;
    try {
      const frame = parseClientFrame(text);
      id = frame.id;
      const result = this.#dispatch(frame);
      if (!(result instanceof Promise)) return this.#reply(id, result);
      return result.then((value) => this.#reply(id, value), (error) => this.#fail(error, id));
    } catch (error) {
      this.#fail(error, id);
    }
  }

  #dispatch(frame: ClientFrame): unknown {
    const { type, data, id } = frame;
    if (type === "ping") return this.#pong(frame);
    const { client } = this.messages;
    if (!Object.hasOwn(client, type)) {
      throw new FrameError("UNKNOWN_TYPE", "Messages of this type are not accepted here");
    }
    const handler = (this.handlers as Record<string, AnyHandler>)[type]!;
    const checked = parseData(client[type]!.data, data, id);
    return checked instanceof Promise
      ? checked.then((value) => handler.call(this, value, { id }))
      : handler.call(this, checked, { id });
  }

  /** Returns the id of the client's user, if the client asks for it. */
  #pong({ data }: ClientFrame): PongData | undefined {
    if ((data as PingData | null | undefined)?.ask !== "user") return undefined;
    const { user } = this.scope as Scope & { readonly user?: { readonly id?: unknown } };
    return { user: typeof user?.id === "string" ? user.id : null };
  }

  #reply(id: string | undefined, data: unknown): void {
    if (id !== undefined) this.scope.connection.sendFrame(encodeReply(id, data));
  }

  #fail(error: unknown, id: string | undefined): void {
    this.#frames.refuse(toFrameError(error, this.scope), id);
  }

  get #frames(): FramePolicy {
    return this.#policy ??= new FramePolicy(this.scope.connection);
  }
}

/** *Security*: of unexpected errors, only the code is sent to the peer. */
function toFrameError(error: unknown, scope: Scope): FrameError {
  if (error instanceof FrameError) return error;
  if (error instanceof LayerError && error.code === "UNAVAILABLE") {
    return new FrameError("UNAVAILABLE", "A required service is unavailable");
  }
  const { log, id } = scope.connection;
  log.error("Handler failed", { connection: id, path: scope.path, error });
  return new FrameError("INTERNAL", "Something went wrong on the server");
}

function idOf(text: string): string | undefined {
  try {
    return parseClientFrame(text).id;
  } catch {
    return undefined;
  }
}
