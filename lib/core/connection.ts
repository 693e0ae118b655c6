import type { CloseCode, Refusal } from "../protocol/mod.ts";
import type { LayerGap, LayerMessage } from "./consumer.ts";
import type { Log } from "./log.ts";

/**
 * Options of {@linkcode Connection.accept}.
 *
 * @internal
 */
export interface AcceptOptions {
  /** One of the subprotocols that the client offered. */
  readonly subprotocol?: string | undefined;
  /** Additional headers of the 101 response. */
  readonly headers?: HeadersInit | undefined;
  /**
   * The id with which the client posts its messages, if the request asks for an event stream.
   *
   * @internal
   */
  readonly eventStream?: string | undefined;
}

/** @internal Status and headers of a response. */
export interface ResponseHead {
  /** The status code. @default {200} */
  readonly status?: number | undefined;
  /** The response headers. */
  readonly headers?: HeadersInit | undefined;
}

/**
 * @internal
 *
 * An accepted plain request and its response. After the head, the body is sent with
 * `Connection.send()`; `Connection.end(1000)` completes it, and any other code aborts it.
 */
export interface Exchange {
  /**
   * Starts the response: sends its head and, with `body`, all of it.
   *
   * @throws {TypeError} The response has already started.
   */
  respond(head: ResponseHead, body?: Uint8Array): void;
  /** Resolves when the peer has read enough for more data, or when the connection ends. */
  drained(): Promise<void>;
}

/**
 * How and why a connection ended.
 *
 * @internal
 */
export interface ConnectionEnd {
  /** The close code; 1006 if the connection was lost. */
  readonly code: CloseCode | number;
  /** The close reason; may be empty. */
  readonly reason: string;
  /** Whether the server ended the connection, rather than the peer or the network. */
  readonly byServer: boolean;
}

/**
 * @internal
 *
 * Receives the end of a connection: a function, or an object, which needs less memory than a closure.
 */
export type EndListener = ((end: ConnectionEnd) => void) | { ended(end: ConnectionEnd): void };

/**
 * One connection, from its request to its end.
 *
 * The logical end comes at once and exactly once: afterwards nothing is sent or handled, and every
 * `onEnd` listener has been called. The network connection closes when the peer allows it.
 */
export interface Connection {
  /** Identifies the connection in logs; unique in this process. */
  readonly id: string;
  /** The log for problems with this connection. */
  readonly log: Log;
  /** `deciding` until accepted, then `open` (messages are queued until the 101), then `ended`. */
  readonly phase: "deciding" | "open" | "ended";
  /** Time of the last client message, in milliseconds since the epoch. */
  readonly lastReceivedAt: number;
  /** Bytes queued for the peer. */
  readonly bufferedAmount: number;
  /** Accepts the client. Throws {@linkcode StopConsumer} if the request is not an upgrade. */
  accept(options?: AcceptOptions): void;
  /**
   * @internal
   *
   * Accepts a plain request: the connection is `open` until the response is complete. An upgrade
   * request is answered as if it had not asked for an upgrade (RFC 9110 §7.8).
   */
  acceptRequest(): Exchange;
  /** Refuses the client. No effect once a socket is accepted or a response has started. */
  refuse(refusal: Refusal): void;
  /**
   * @internal Takes one message from the rate limit: that of the connection, or the one that all plain
   * requests with the key `sharedBy` share. Returns false if the limit is exceeded.
   */
  takeMessage(sharedBy?: string): boolean;
  /** @internal Takes one keep-alive from its own, larger limit. Returns false if the limit is exceeded. */
  takePing(): boolean;
  /**
   * Queues a message. Returns false if it was dropped because the connection has ended or the peer
   * reads too slowly.
   *
   * `key` is for the policy `latest`: a queued message with the same key is replaced.
   */
  send(data: string | Uint8Array, key?: string): boolean;
  /**
   * Queues a frame of the subprotocol. If the client selected `sluice.v1`, frames of one turn of the
   * event loop are sent as one message, one per line; no frame is delayed for another.
   */
  sendFrame(frame: string, key?: string): boolean;
  /**
   * Takes a client message that was posted to an event stream.
   *
   * @internal
   */
  message(data: string | Uint8Array): void;
  /** Ends the connection. Later calls have no effect. */
  end(code: number, reason?: string): void;
  /**
   * Calls `listener` once at the end, or at once if the connection has ended: a function, or an object,
   * which needs less memory than a closure. Duplicates are ignored.
   */
  onEnd(listener: ((end: ConnectionEnd) => void) | { ended(end: ConnectionEnd): void }): void;
  /** Removes a listener. */
  offEnd(listener: ((end: ConnectionEnd) => void) | { ended(end: ConnectionEnd): void }): void;
  /** @internal Notifies the consumer that parts of its scope, such as `user` or `session`, were replaced. */
  scopeChanged(parts: readonly string[]): void;
  /** @internal Queues a layer message for the consumer. Returns false if it was dropped. */
  deliver(message: LayerMessage): boolean;
  /** @internal Notifies the consumer, in its turn, of a gap of the layer. */
  gap(gap: LayerGap): void;
  /**
   * Calls back after `ms` milliseconds, in turn with the consumer's methods, unless the connection has
   * ended. Returns a function that cancels the call.
   */
  after(ms: number, callback: () => void | Promise<void>): () => void;
}
