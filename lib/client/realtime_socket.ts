import type {
  ClientInput,
  ClientType,
  Messages,
  ReplyData,
  ServerData,
  ServerType,
} from "../protocol/mod.ts";
import type { MessageFrame } from "../protocol/frames.ts";
import type { RequestError } from "./request_error.ts";

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
 * twice. When the session ends, queued messages are dropped. When another user has signed in, they are
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
  };

  /** Calls back on every change of `state` and `detail`. Returns a function that stops this. */
  onState(callback: (state: SocketState, detail: this["detail"]) => void): () => void;

  /**
   * Calls back for every message of `type`, in order of arrival. The frame has `offset` and `epoch` if
   * the group keeps a history. Returns a function that stops this.
   */
  on<T extends ServerType<M>>(
    type: T,
    callback: (data: ServerData<M, T>, frame: MessageFrame) => void,
  ): () => void;

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
   * message may or may not have had its effect; it is not sent again.
   */
  request<T extends ClientType<M>>(
    type: T,
    data: ClientInput<M, T>,
    options?: {
      /** Time limit for the reply, including the wait for a connection. @default {10_000} */
      readonly timeoutMs?: number | undefined;
      /** Aborts the request. A message that was already sent is not recalled. */
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<ReplyData<M, T>>;

  /** Attempts to connect now, after a sign-in or on request. No effect while live or once closed. */
  retry(): void;

  /** Closes the connection for good. No effect the second time. */
  close(): void;
}
