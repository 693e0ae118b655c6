import type { Messages, ServerData } from "../protocol/mod.ts";
import type { ClientInput, ClientType, ReplyData, ServerType } from "../protocol/messages.ts";
import type { MessageFrame } from "../protocol/frames.ts";
import type { RequestError } from "./request_error.ts";
import type { StreamPosition } from "./stream_options.ts";

/**
 * State of a {@linkcode RealtimeSocket}:
 *
 * - `connecting`: the first attempt is in progress;
 * - `live`: messages go both ways; a silent connection is detected within 45 s;
 * - `reconnecting`: the connection was lost or failed, and reconnects by itself;
 * - `signed-out`: there is no session (any more): sign in, then call `retry()`;
 * - `refused`: the server does not accept this user here, or serves nothing here;
 * - `closed`: `close()` was called, or the server closed the connection for good.
 */
export type SocketState =
  | "connecting"
  | "live"
  | "reconnecting"
  | "signed-out"
  | "refused"
  | "closed";

/**
 * A reconnecting connection with the messages of one consumer. See `connect()`.
 *
 * Messages sent while it is `connecting` or `reconnecting` are queued in order, up to a limit. Beyond
 * the limit, and in states that do not end by themselves, they are rejected. No message is ever sent
 * twice, except requests with `once`, which take effect once. When the session ends, queued messages are dropped. When another user has signed in, they are
 * rejected with `IDENTITY_CHANGED`, so that they are not sent in that user's name. No callback runs
 * after `close()`.
 */
export interface RealtimeSocket<M extends Messages> extends Disposable {
  /** The `ws` or `wss` URL of the connection. */
  readonly url: string;
  /** The current state. */
  readonly state: SocketState;
  /** The reason for the state, and what happens next. */
  readonly detail: {
    /** Number of attempts since the last live connection; 0 while live. */
    readonly attempt: number;
    /** Delay until the next attempt, in milliseconds; `undefined` if there is no next attempt. */
    readonly retryInMs: number | undefined;
    /** Why the socket is not live: a close code, or the code of a refusal such as `NOT_SIGNED_IN`. */
    readonly code: number | string | undefined;
    /** A description for developers; may be empty. */
    readonly reason: string;
    /**
     * How messages travel: by WebSocket, or by plain HTTP behind a proxy that breaks WebSockets. While not
     * live, how they did last.
     */
    readonly transport: "websocket" | "http";
  };

  /** Calls back on every change of `state` and `detail`. Returns a function that stops this. */
  onState(callback: (state: SocketState, detail: this["detail"]) => void): () => void;

  /**
   * Calls back for every message of `type`, in order of arrival. A message of a stream has `stream`,
   * `epoch` and `offset` in its frame; it is passed on once and in the order of the offsets, whatever
   * connections do. Returns a function that stops this.
   */
  on<T extends ServerType<M>>(
    type: T,
    callback: (data: ServerData<M, T>, frame: MessageFrame) => void,
  ): () => void;

  /**
   * Calls back when reading of a stream went on after an interruption, after the missed messages were
   * passed to their handlers. Returns a function that stops this.
   */
  onRecovered(
    callback: (recovery: {
      /** The stream. */
      readonly stream: string;
      /** False if messages were lost: they are no longer kept, or the history is another one. */
      readonly recovered: boolean;
      /** The number of messages that were missed, and passed to handlers before this call. */
      readonly missed: number;
    }) => void,
  ): () => void;

  /** Loads older messages of a stream, which are not passed to handlers. Rejects like `request()`. */
  loadBefore(stream: string, options?: {
    /** Loads messages before this offset. @default {the oldest one handled or loaded so far} */
    readonly before?: number | undefined;
    /** Maximum number of messages, 1 to 500. @default {100} */
    readonly limit?: number | undefined;
  }): Promise<{
    /** Oldest first. */
    readonly messages: readonly MessageFrame[];
    /** Whether still older messages are kept. */
    readonly more: boolean;
  }>;

  /** The position in a stream after the last message that was passed to handlers, to be handed over. */
  position(stream: string): StreamPosition | undefined;

  /** Calls back when the server refuses a message of `send()`. Returns a function that stops this. */
  onError(callback: (error: RequestError) => void): () => void;

  /**
   * Sends a message without expecting a reply.
   *
   * @throws {RequestError} `CLOSED` or `QUEUE_FULL`.
   * @throws {TypeError} The data cannot be serialized as JSON.
   */
  send<T extends ClientType<M>>(type: T, data: ClientInput<M, T>): void;

  /**
   * Sends a message and resolves to the data of its reply.
   *
   * Rejects with a {@linkcode RequestError}: the server's refusal, or the reason why there is no
   * reply. If the connection is lost during a request, it rejects with `DISCONNECTED`, because the
   * message may or may not have had its effect; it is not sent again. With `once`, it is.
   */
  request<T extends ClientType<M>>(
    type: T,
    data: ClientInput<M, T>,
    options?: {
      /** Time limit for the reply, including the wait for a connection. @default {10_000} */
      readonly timeoutMs?: number | undefined;
      /** Aborts the request. A message that was already sent is not recalled. */
      readonly signal?: AbortSignal | undefined;
      /**
       * Whether the message is sent again until it is answered, across connections. It has its effect once:
       * the server recognises repetitions. The default of `timeoutMs` is then 10 minutes, as long as the
       * server remembers. @default {false}
       */
      readonly once?: boolean | undefined;
      /**
       * The key by which the server recognises repetitions, 1 to 64 of `A-Z a-z 0-9 - _`; implies `once`. Pass
       * one to repeat a request of an earlier page. @default {a random key}
       */
      readonly key?: string | undefined;
    },
  ): Promise<ReplyData<M, T>>;

  /** Attempts to connect now, after a sign-in or on request. No effect while live or once closed. */
  retry(): void;

  /** Closes the connection for good. No effect the second time. */
  close(): void;
}

/** @internal Options of {@linkcode RealtimeSocket.request}. */
export type RequestOptions = NonNullable<Parameters<RealtimeSocket<Messages>["request"]>[2]>;

/** @internal Older messages of a stream. */
export type OlderMessages = Awaited<ReturnType<RealtimeSocket<Messages>["loadBefore"]>>;
