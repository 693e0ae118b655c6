import { encodeMessage } from "../../protocol/frames.ts";
import { CloseCode, FrameError } from "../../protocol/mod.ts";
import type { HistoryData, StreamMark } from "../../protocol/frames.ts";
import type { LayerMessage } from "../../core/consumer.ts";
import type { Scope } from "../../core/scope.ts";
import { type ChannelLayer, LayerError } from "../../layers/mod.ts";
import { readHistory } from "../../streams/history.ts";
import { StreamError } from "../../streams/stream_error.ts";
import type { Appended, AppendOptions, StreamStore } from "../../streams/stream_store.ts";
import { STREAM_TYPE } from "../layer_messages.ts";
import { parseHistoryRequest } from "./history_request.ts";
import type { GroupPolicy } from "../policies.ts";

/**
 * The group that is kept as a stream, and who may read it.
 *
 * @internal
 */
export interface StreamSource<S extends Scope = Scope> {
  /** The group, which is also the name of the stream in the store. */
  readonly group: string;
  /** Decides whether the client may read the stream: asked on entry, at each `history` request and when the scope changes. */
  readonly authorize?: (scope: S, group: string) => boolean | Promise<boolean>;
}

/**
 * The streams of a consumer, by the names that clients use: a group, or a group with its policy.
 *
 * @internal
 */
export type ConsumerStreams<S extends Scope = Scope> = Readonly<
  Record<string, string | StreamSource<S>>
>;

/** The streams of a consumer that has none; shared by all. */
export const NO_STREAMS: ConsumerStreams = {};

/** The parts of a consumer that its streams use. */
export interface StreamHost<S extends Scope> {
  readonly scope: S;
  readonly streams: ConsumerStreams<S>;
  readonly channelLayer: ChannelLayer;
  groupAdd(group: string, options: { authorize: GroupPolicy<S> }): Promise<void>;
  /** Whether the connection is a member of a group that has a policy. */
  isMember(group: string): boolean;
  /** Runs the policy of a group again, and returns whether the connection is a member. */
  confirmMember(group: string): Promise<boolean>;
}

/** The streams of one connection: enters them, reads their history and appends to them. */
export class StreamSession<S extends Scope = Scope> {
  readonly #host: StreamHost<S>;
  readonly #store: StreamStore;
  readonly #readable = new Set<string>();
  /** Resolves when {@linkcode enter} has finished; undefined if the client was not accepted. */
  entered: Promise<void> | undefined;

  /** @throws {TypeError} The scope has no stream store. */
  constructor(host: StreamHost<S>) {
    this.#host = host;
    this.#store = storeOf(host.scope);
  }

  /** Joins the groups of all streams that the client may read, and sends how far each one goes. */
  enter(): Promise<void> {
    this.entered = this.#orOverload(async () => {
      await Promise.all(Object.keys(this.#host.streams).map((name) => this.#join(name)));
      await this.#announce();
    });
    this.entered.catch(() => {}); // The start of the consumer also awaits it and reports errors.
    return this.entered;
  }

  /** Sends how far each stream goes that was joined. */
  announce(): Promise<void> {
    return this.#orOverload(() => this.#announce());
  }

  /**
   * Answers a `history` request.
   *
   * @throws {FrameError} `INVALID_MESSAGE`, or `FORBIDDEN`: the client may not read the stream.
   */
  async history(data: unknown): Promise<HistoryData> {
    const { stream, ...query } = parseHistoryRequest(data, Object.keys(this.#host.streams));
    const group = this.#groupOf(stream);
    await this.#assertReadable(group);
    const history = await readHistory(this.#store, group, query);
    await this.#assertReadable(group); // The permission may have been withdrawn meanwhile.
    return history;
  }

  /** Appends a message to a stream and sends it to the group. */
  append(name: string, message: LayerMessage, options: AppendOptions): Promise<Appended> {
    const { channelLayer: layer, scope } = this.#host;
    const publisher = { store: this.#store, layer, log: scope.connection.log };
    return appendAndSend(publisher, { name, group: this.#groupOf(name) }, message, options);
  }

  /** Returns the outcome of an append by its key. */
  find(name: string, key: string): Promise<Appended | undefined> {
    return this.#store.find(this.#groupOf(name), key);
  }

  /** Tells the group of a stream how far it goes: an earlier append may not have been sent. */
  async remind(name: string): Promise<void> {
    try {
      const message = await this.#stateMessage(name);
      await this.#host.channelLayer.groupSend(this.#groupOf(name), message);
    } catch (error) {
      if (!isUnavailable(error)) throw error; // The next message shows the hole.
    }
  }

  async #announce(): Promise<void> {
    const { connection } = this.#host.scope;
    for (const name of this.#readable) {
      if (connection.phase !== "open") return;
      const { type, data } = await this.#stateMessage(name);
      if (!this.#host.isMember(this.#groupOf(name))) continue;
      connection.sendFrame(encodeMessage(type, data));
    }
  }

  /** Closes the socket, so that the client reconnects later, if a store or a layer cannot be reached. */
  async #orOverload(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      this.#host.scope.connection.end(CloseCode.overload, "history unavailable");
    }
  }

  async #join(name: string): Promise<void> {
    const source = this.#sourceOf(name);
    const authorize = source.authorize ?? (() => true);
    try {
      await this.#host.groupAdd(source.group, { authorize });
      this.#readable.add(name);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error; // The policy denies access.
    }
  }

  async #stateMessage(name: string): Promise<LayerMessage> {
    const { epoch, first, offset } = await this.#store.state(this.#groupOf(name));
    return { type: STREAM_TYPE, data: { stream: name, epoch, first, offset } };
  }

  async #assertReadable(group: string): Promise<void> {
    if (await this.#host.confirmMember(group)) return;
    throw new FrameError("FORBIDDEN", "You may not read this stream");
  }

  #groupOf(name: string): string {
    return this.#sourceOf(name).group;
  }

  #sourceOf(name: string): StreamSource<S> {
    return sourceOf(this.#host.streams, name);
  }
}

/** Returns the group of a stream, and its policy. @throws {TypeError} The stream is not declared. */
export function sourceOf<S extends Scope>(
  streams: ConsumerStreams<S>,
  name: string,
): StreamSource<S> {
  const source = Object.hasOwn(streams, name) ? streams[name] : undefined;
  if (source === undefined) throw new TypeError(`The consumer declares no stream "${name}"`);
  return typeof source === "string" ? { group: source } : source;
}

/** Where {@linkcode appendAndSend} stores and sends. */
export interface StreamPublisher {
  readonly store: StreamStore;
  readonly layer: ChannelLayer;
  readonly log?: { warn(message: string, fields?: Record<string, unknown>): void };
}

/** A stream: its name for clients, and its group. */
export interface StreamTarget {
  readonly name: string;
  readonly group: string;
}

/**
 * Stores a message, then sends it to the group. If only the second step fails, the append counts:
 * members see the hole and ask for the message.
 */
export async function appendAndSend(
  { store, layer, log }: StreamPublisher,
  { name, group }: StreamTarget,
  { type, data }: LayerMessage,
  options: AppendOptions,
): Promise<Appended> {
  const appended = await store.append(group, { type, data }, options);
  if (appended.isRepeated) return appended;
  const { epoch, offset } = appended;
  const mark: StreamMark = { stream: name, epoch, offset };
  try {
    await layer.groupSend(group, { type, data, mark });
  } catch (error) {
    if (!(error instanceof LayerError)) throw error;
    log?.warn("A stored message was not sent to its group", { group, offset, why: error.code });
  }
  return appended;
}

/** @throws {TypeError} The scope has no stream store. */
export function storeOf(scope: Scope): StreamStore {
  const { streamStore } = scope as Scope & { readonly streamStore?: StreamStore };
  if (streamStore !== undefined) return streamStore;
  throw new TypeError("No stream store: add .use(streams(store)) to the stack()");
}

/** Returns whether an error means that a store or a layer cannot be reached. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof LayerError) return error.code === "UNAVAILABLE";
  return error instanceof StreamError && error.code !== "MESSAGE_TOO_LARGE";
}
