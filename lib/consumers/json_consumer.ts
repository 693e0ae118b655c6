import { CloseCode, type Messages } from "../protocol/mod.ts";
import type { ClientFrame } from "../protocol/frames.ts";
import { encodeMessage, encodeReply, parseClientFrame } from "../protocol/frames.ts";
import { SUBPROTOCOL } from "../protocol/limits.ts";
import type { AcceptOptions } from "../core/connection.ts";
import type { ConnectionHandler, LayerGap, LayerMessage } from "../core/consumer.ts";
import { andThen } from "../core/promises.ts";
import type { Scope } from "../core/scope.ts";
import type { Appended } from "../streams/stream_store.ts";
import { Commands } from "./streams/command.ts";
import { Consumer } from "./consumer.ts";
import { NO_STREAMS, sourceOf, StreamSession } from "./streams/consumer_streams.ts";
import type { StreamSource } from "./streams/consumer_streams.ts";
import { receiveLines } from "./frames/frame_lines.ts";
import { withEventStream } from "./events/event_channel.ts";
import { EventPost } from "./events/event_post.ts";
import { FramePolicy } from "./frames/frame_policy.ts";
import { declarationOf, runHandler } from "./frames/run_handler.ts";
import type { EventHandlers, Handlers } from "./handlers.ts";
import type { LayerEvent, ServerMessage } from "./json_messages.ts";
import { forwardsOf } from "./layer_messages.ts";
import { answerPing, encodeGap, idOf, pong } from "./frames/special_frames.ts";
import { toFrameError } from "./frames/to_frame_error.ts";

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
 *
 * @example
 * ```ts
 * import { defineMessages, type HandlersOf, JsonConsumer, unchecked } from "@sluice/sluice";
 * import { communicate } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 * import * as v from "valibot";
 *
 * const messages = defineMessages({
 *   client: { add: { data: v.object({ a: v.number(), b: v.number() }), reply: unchecked<number>() } },
 *   server: {},
 * });
 *
 * class Adder extends JsonConsumer<typeof messages> {
 *   readonly messages = messages;
 *   readonly handlers: HandlersOf<Adder> = { add: ({ a, b }) => a + b };
 * }
 *
 * await using peer = communicate(Adder);
 * await peer.connect();
 * peer.sendJson({ type: "add", data: { a: 1, b: 2 }, id: "1" });
 * assert.deepEqual(await peer.receiveJson(), { type: "reply", id: "1", ok: true, data: 3 });
 * ```
 */
export abstract class JsonConsumer<M extends Messages, S extends Scope = Scope>
  extends Consumer<S, ServerMessage<M> | LayerEvent<M>> {
  /** The messages of this consumer, from `defineMessages()`. */
  abstract readonly messages: M;
  /** A handler for each type of client message: a `HandlersOf` your class. */
  abstract readonly handlers: Handlers<M, this>;
  /** A handler for each type under `layer`: an `EventHandlersOf` your class. */
  readonly events?: EventHandlers<M, this>;
  #policy: FramePolicy | undefined;
  #session: StreamSession<S> | undefined;
  #commands: Commands | undefined;

  /**
   * The streams of this consumer: groups that keep their messages, by the names that clients use. They
   * are joined like {@linkcode groups}. The scope must have a store: `stack().use(streams(store))`.
   */
  get streams(): Readonly<Record<string, string | StreamSource<S>>> {
    return NO_STREAMS;
  }

  /** @internal Whether the class has groups or streams to join on entry. */
  override get joinsGroups(): boolean {
    return super.joinsGroups || this.streams !== NO_STREAMS;
  }

  /** Called by the server. Do not override. */
  override start(): void | Promise<void> {
    const started = super.start();
    return this.streams === NO_STREAMS ? started : andThen(started, () => this.#session?.entered);
  }

  /** Accepts the client, joins `groups` and `streams`, and sends the extent of each stream. */
  override accept(options: AcceptOptions = {}): Promise<void> {
    const joined = super.accept(withEventStream(this, options));
    if (this.streams === NO_STREAMS) return joined;
    const entered = this.#streamSession.enter();
    const accepted = Promise.all([joined, entered]).then(() => {});
    accepted.catch(() => {}); // start() also awaits both and reports errors.
    return accepted;
  }

  /** Called by the server. Do not override. */
  eventPost(): ConnectionHandler {
    return new EventPost<S>(this);
  }

  /**
   * Stores a message in one of {@linkcode streams}, then sends it to the stream's group. Resolves once it
   * is stored.
   *
   * In the handler of a message that is declared with `appends`, the first append also stores the key of
   * the command and its `reply`, which must be what the handler returns.
   *
   * @throws {StreamError} As `StreamStore.append()`.
   */
  append(
    stream: keyof this["streams"] & string,
    message: ServerMessage<M>,
    options: { readonly reply?: unknown } = {},
  ): Promise<Appended> {
    const append = (key?: string) =>
      this.#streamSession.append(stream, message as LayerMessage, { ...options, key });
    return this.#commands?.append(stream, append) ?? append();
  }

  /** Sends a message to the client. Returns false if it was dropped: the connection has ended. */
  sendJson(message: ServerMessage<M>): boolean {
    return this.scope.connection.sendFrame(encodeMessage(message.type, message.data));
  }

  /** Returns the group of a stream, and its policy. For the HTTP doors. */
  streamSource(name: keyof this["streams"] & string): StreamSource<S> {
    return sourceOf(this.streams, name);
  }

  /**
   * @internal Runs the handler of a frame, and returns its reply. For the HTTP doors.
   *
   * @throws {FrameError} The frame is refused.
   */
  async runFrame(frame: ClientFrame): Promise<unknown> {
    try {
      return await this.#runCommand(frame);
    } catch (error) {
      throw toFrameError(error, this.scope);
    }
  }

  /** Called by the server. Do not override. */
  override receive(data: string | Uint8Array): void | Promise<void> {
    if (typeof data !== "string") {
      return this.close(CloseCode.unsupportedData, "text messages only");
    }
    if (data.includes("\n") && this.scope.subprotocols.includes(SUBPROTOCOL)) {
      return receiveLines(data, this.scope.connection, {
        receive: (frame) => this.#receiveFrame(frame),
        limit: (frame) => this.onRateLimited(frame),
      });
    }
    return this.#receiveFrame(data);
  }

  /** Forwards a declared server message to the client, or calls its handler in {@linkcode events}. */
  override event(message: LayerMessage): void | Promise<void> {
    const { events } = this;
    if (events !== undefined && Object.hasOwn(events, message.type)) {
      const handler = (events as Record<string, AnyEventHandler>)[message.type]!;
      return handler.call(this, message.data);
    }
    const frame = forwardsOf(this)(message);
    if (frame === undefined) return super.event(message);
    this.scope.connection.sendFrame(frame);
  }

  /**
   * Forwards layer messages to the client; undefined if the class overrides `event()`.
   *
   * @throws {TypeError} A type under `layer` has no handler in {@linkcode events}, or a message appends
   * to a stream that is not declared.
   */
  get forwards(): ((message: LayerMessage) => string | undefined) | undefined {
    const forwards = forwardsOf(this);
    return this.event === JsonConsumer.prototype.event ? forwards : undefined;
  }

  /**
   * Called after a gap of the layer. Notifies the client if `gap` is declared under `server`, and tells
   * it how far its streams go, so that it asks for what it missed. Override it to reload cached state.
   */
  override gap(gap: LayerGap): void | Promise<void> {
    const isDeclared = Object.hasOwn(this.messages.server, "gap");
    if (isDeclared) this.scope.connection.sendFrame(encodeGap(gap));
    return this.#session?.announce();
  }

  /** Called by the server. Do not override. */
  answerPing(data: string): string | undefined {
    return answerPing(data, this.scope);
  }

  /** Called by the server for a message over the rate limit. */
  onRateLimited(data: string | Uint8Array): void {
    this.#frames.limit(typeof data === "string" ? idOf(data) : undefined);
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
    const { type, data } = frame;
    if (type === "ping") return pong(frame, this.scope);
    const isHistory = type === "history" && this.streams !== NO_STREAMS;
    return isHistory ? this.#streamSession.history(data) : this.#runCommand(frame);
  }

  #runCommand(frame: ClientFrame): unknown {
    if (frame.key === undefined) return runHandler(this, frame);
    const { appends } = declarationOf(this.messages, frame.type);
    this.#commands ??= new Commands(this.scope, () => this.#streamSession);
    // The data is checked after the key: a repetition gets the first reply, whatever its data.
    return this.#commands.run(frame.key, appends, async () => await runHandler(this, frame));
  }

  get #streamSession(): StreamSession<S> {
    return this.#session ??= new StreamSession<S>(this);
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
