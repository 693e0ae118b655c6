import type {
  ClientInput,
  ClientType,
  MessageFrame,
  Messages,
  ReplyData,
  ServerData,
  ServerType,
} from "../protocol/mod.ts";
import type { RequestError } from "./request_error.ts";

/**
 * Where a {@linkcode RealtimeSocket} stands:
 *
 * - `connecting`: the first attempt is under way;
 * - `live`: messages go both ways; a connection that went silent is noticed within 45 s;
 * - `reconnecting`: it was lost or not reached, and comes back by itself;
 * - `signed-out`: there is no session (any more): sign in, then call `retry()`;
 * - `refused`: the server does not let this person in here, or there is nothing here;
 * - `closed`: `close()` was called, or the server has finished with it.
 */
export type SocketState =
  | "connecting"
  | "live"
  | "reconnecting"
  | "signed-out"
  | "refused"
  | "closed";

/** What there is to say about a {@linkcode SocketState}. */
export interface SocketDetail {
  /** The attempts since it was last live; 0 while it is. */
  readonly attempt: number;
  /** How long it waits for the next attempt, in milliseconds; `undefined` where it does not. */
  readonly retryInMs: number | undefined;
  /** Why it is not live: a close code, or the code of a refusal such as `NOT_SIGNED_IN`. */
  readonly code: number | string | undefined;
  /** The same in words, for developers; may be empty. */
  readonly reason: string;
}

/** How a single request is made. */
export interface RequestOptions {
  /** How long to wait for the reply, the wait for a connection included. @default {10_000} */
  readonly timeoutMs?: number | undefined;
  /** Gives the request up. What was sent is not called back. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A connection that comes back, with the messages of one consumer. See `connect()`.
 *
 * What is sent while it is `connecting` or `reconnecting` waits, in order, up to a number; what is
 * sent after that, or in a state that does not end by itself, is rejected. Nothing is ever sent
 * twice. What waits when the session ends is dropped, and what waits when another user has signed in is
 * rejected with `IDENTITY_CHANGED`: it would go out in their name. After `close()` nothing is called.
 */
export interface RealtimeSocket<M extends Messages> extends Disposable {
  /** Where it connects to: a `ws` or `wss` address. */
  readonly url: string;
  /** Where it stands. */
  readonly state: SocketState;
  /** Why it stands there, and what comes next. */
  readonly detail: SocketDetail;

  /** Calls back at every change of `state` and `detail`. Returns how to stop that. */
  onState(callback: (state: SocketState, detail: SocketDetail) => void): () => void;

  /**
   * Calls back for every message of `type`, in the order in which they arrived. The frame has the
   * `offset` and `epoch` where the group keeps a history. Returns how to stop that.
   */
  on<T extends ServerType<M>>(
    type: T,
    callback: (data: ServerData<M, T>, frame: MessageFrame) => void,
  ): () => void;

  /** Calls back when the server refuses what `send()` sent. Returns how to stop that. */
  onError(callback: (error: RequestError) => void): () => void;

  /**
   * Sends a message and asks for no reply.
   *
   * @throws {RequestError} `CLOSED` or `QUEUE_FULL`.
   * @throws {TypeError} The data cannot be written as JSON.
   */
  send<T extends ClientType<M>>(type: T, data: ClientInput<M, T>): void;

  /**
   * Sends a message and resolves to the data of its reply.
   *
   * It rejects with a {@linkcode RequestError}: the server's refusal, or what kept the reply from
   * coming. A request that is under way when the connection is lost is rejected (`DISCONNECTED`), as
   * nobody can tell whether it had its effect; it is not sent again.
   */
  request<T extends ClientType<M>>(
    type: T,
    data: ClientInput<M, T>,
    options?: RequestOptions,
  ): Promise<ReplyData<M, T>>;

  /** Tries now: after a sign-in, or because somebody asks. No effect while live or once closed. */
  retry(): void;

  /** Ends it for good. No effect the second time. */
  close(): void;
}
