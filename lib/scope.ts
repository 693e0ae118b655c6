/**
 * The core types: the scope of a connection, the applications that decide about it, and the consumers
 * and transports that serve it.
 *
 * @module
 */
import { performance } from "node:perf_hooks";
import { clearTimeout, setTimeout } from "node:timers";
import type { CloseCode, Refusal } from "./protocol/mod.ts";

/**
 * The properties of one connection. Middleware adds to them: see {@linkcode Application}.
 *
 * *Security*: everything except `address` and `id` comes from the peer.
 */
export interface Scope {
  /** `websocket` for an upgrade, otherwise `http`. */
  readonly type: "websocket" | "http";
  /** Identifies the connection in logs; unique in this process and not secret. */
  readonly id: string;
  readonly method: string;
  /** The full URL; behind a proxy, the public one. */
  readonly url: URL;
  /** The path, percent-encoded; letters, digits, `-`, `.`, `_` and `~` are always decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /**
   * The request headers: all of them until the client is accepted. While a socket is open, only those
   * that the handler keeps (`keepHeaders`); reading another one throws a `TypeError`.
   */
  readonly headers: Headers;
  readonly cookies: ReadonlyMap<string, string>;
  /** The subprotocols that the client offered, in order and without tickets. */
  readonly subprotocols: readonly string[];
  /** The ticket offered among the subprotocols. *Security*: a credential; never log it. */
  readonly ticket: string | undefined;
  /** IP address of the peer without a port; behind a trusted proxy, that of the client. */
  readonly address: string;
  /** The parameters that the router extracted from the path. */
  readonly params: Readonly<Record<string, string | number>>;
  /** The rest of the path, for a nested router; starts with `/`. */
  readonly pathRemaining: string;
  /** The request body; undefined for an upgrade and for a request without a body. */
  readonly body?: ReadableStream<Uint8Array> | undefined;
  readonly connection: Connection;
}

/**
 * Decides about a connection: a router, a middleware around one, or a complete stack.
 *
 * It returns the consumer that serves the connection, a {@linkcode Refusal} or a `Response`. The type
 * parameter is the scope that it requires. A middleware that adds to the scope has the type `(next:
 * Application<S & Added>) => Application<S>`, so a stack with a missing middleware does not compile.
 */
export type Application<in S> = (scope: S) => Admission | Promise<Admission>;

/**
 * Wraps an application. `Needs` is the scope that it requires, `Adds` is its addition to the scope.
 *
 * Middleware that adds nothing, such as logging, needs a `Scope` and adds `unknown`.
 */
export interface Middleware<in Needs, out Adds = unknown> {
  <S extends Needs>(next: Application<S & Adds>): Application<S>;
}

/** The scope of a connection whose origin was checked or explicitly need not be. */
export interface OriginScope extends Scope {
  readonly originChecked: true;
}

/** The scope of a connection for which the permitted audience was declared. */
export interface AudienceScope extends Scope {
  /** `users`: signed-in users only. `anyone`: anonymous clients too. */
  readonly audience: "users" | "anyone";
}

/** The decision of an {@linkcode Application}. */
export type Admission = Consumer | Refusal | Response;

/**
 * Serves one connection. The classes in `@sluice/sluice/consumers` implement it.
 *
 * Methods are called one at a time, in the order of the messages; each call waits until the promise of
 * the previous one has settled. An error in one consumer never affects another connection.
 */
export interface Consumer {
  /** Calls `connection.accept()` or `connection.refuse()`; a consumer that calls neither refuses. */
  start(): void | Promise<void>;
  /** Handles a client message. */
  receive(data: string | Uint8Array): void | Promise<void>;
  /** Handles a layer message. */
  event(message: LayerMessage): void | Promise<void>;
  /**
   * Returns the frame of a layer message that is forwarded to the client as it is, without a call to
   * {@linkcode event}; otherwise `undefined`. All consumers of a class share one function.
   */
  readonly passes?: ((message: LayerMessage) => string | undefined) | undefined;
  /** Called in turn after a gap of the layer, to reload cached state. */
  gap?(gap: LayerGap): void | Promise<void>;
  /**
   * Called exactly once for each accepted connection: when the method that was running at the end has
   * settled, or after 5 s, whichever comes first.
   */
  disconnect(code: number, reason: string): void | Promise<void>;
  /**
   * Called at once when the scope changes, even while a method is running, to check permissions again.
   * If its promise rejects, the connection is closed with 1011.
   */
  authorizeAgain?(): void | Promise<void>;
  /** Called in turn after the scope has changed, with the names of the changed parts. */
  scopeChanged?(parts: readonly string[]): void | Promise<void>;
  /**
   * Returns the reply to a keep-alive message, or the empty string if it needs none; `undefined` for
   * any other message. The reply is sent at once, even while a method is running. The message counts
   * toward no limit and is not handled.
   */
  answerPing?(data: string): string | undefined;
  /**
   * Handles a client message over the rate limit. Without this method the socket is closed with 4429.
   */
  overrun?(data: string | Uint8Array): void;
  /** The policy for a client that reads too slowly. @default {"close"} */
  readonly slowReader?: SlowReaderPolicy;
}

/**
 * The policy when the send queue of a client is full:
 *
 * - `close`: the socket is closed with 4408, and the client reconnects.
 * - `drop-oldest`: the oldest queued messages are dropped and counted.
 * - `latest`: like `drop-oldest`, and a queued message is replaced by a newer one with the same key.
 */
export type SlowReaderPolicy = "close" | "drop-oldest" | "latest";

/** A message on a channel layer. Its type selects the handler. */
export interface LayerMessage {
  readonly type: string;
  readonly data?: unknown;
}

/** A period in which layer messages may have been missed because this process was disconnected. */
export interface LayerGap {
  /** The last time up to which all messages arrived, in milliseconds since the epoch. */
  readonly since: number;
  /** The time from which all messages arrive again, in milliseconds since the epoch. */
  readonly until: number;
}

/** Options of {@linkcode Connection.accept}. */
export interface AcceptOptions {
  /** One of the subprotocols that the client offered. */
  readonly subprotocol?: string | undefined;
  /** Additional headers of the 101 response. */
  readonly headers?: HeadersInit | undefined;
}

/** Status and headers of a response. */
export interface ResponseHead {
  /** @default {200} */
  readonly status?: number | undefined;
  readonly headers?: HeadersInit | undefined;
}

/**
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

/** How and why a connection ended. */
export interface ConnectionEnd {
  readonly code: CloseCode | number;
  readonly reason: string;
  /** Whether the server ended the connection, rather than the peer or the network. */
  readonly byServer: boolean;
}

/**
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
   * Accepts a plain request: the connection is `open` until the response is complete. An upgrade
   * request is answered as if it had not asked for an upgrade (RFC 9110 §7.8).
   */
  acceptRequest(): Exchange;
  /** Refuses the client. No effect once a socket is accepted or a response has started. */
  refuse(refusal: Refusal): void;
  /** Takes one message from the rate limit. Returns false if the limit is exceeded. */
  takeMessage(): boolean;
  /** Takes one keep-alive from its own, larger limit. Returns false if the limit is exceeded. */
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
  /** Ends the connection. Later calls have no effect. */
  end(code: number, reason?: string): void;
  /**
   * Calls `listener` once at the end, or at once if the connection has ended. Duplicates are ignored.
   */
  onEnd(listener: EndListener): void;
  /** Removes a listener. */
  offEnd(listener: EndListener): void;
  /** Notifies the consumer that parts of its scope, such as `user` or `session`, were replaced. */
  scopeChanged(parts: readonly string[]): void;
  /** Queues a layer message for the consumer. Returns false if it was dropped. */
  deliver(message: LayerMessage): boolean;
  /** Notifies the consumer, in its turn, of a gap of the layer. */
  gap(gap: LayerGap): void;
  /**
   * Calls back after `ms` milliseconds, in turn with the consumer's methods, unless the connection has
   * ended. Returns a function that cancels the call.
   */
  after(ms: number, callback: () => void | Promise<void>): () => void;
}

/** Thrown to stop a consumer's method without logging an error. */
export class StopConsumer extends Error {
  override readonly name = "StopConsumer";
}

/**
 * Thrown by `Consumer.event()` for a layer message without a handler. The server drops and counts the
 * message, and logs each type once. The socket stays open.
 */
export class UnhandledMessageError extends Error {
  override readonly name = "UnhandledMessageError";
  /** The type of the message. */
  readonly type: string;

  constructor(type: string) {
    super(`No handler for the layer message "${type}"`);
    this.type = type;
  }
}

/** A message-oriented socket of a runtime. {@linkcode SocketEvents} receives its events. */
export interface Socket {
  /** Bytes that were sent but not yet written to the network. */
  readonly bufferedAmount: number;
  send(data: string | Uint8Array): void;
  /** Starts the closing handshake. */
  close(code: number, reason: string): void;
  /** Closes the network connection at once, if the runtime can. */
  terminate?(): void;
}

/** The events of a {@linkcode Socket}. The callbacks must not throw. */
export interface SocketEvents {
  open(): void;
  message(data: string | Uint8Array): void;
  /** The network connection has closed; may be called more than once, or never. */
  close(code: number, reason: string): void;
}

/** Turns a request into a socket on one runtime. */
export interface Transport {
  /** Throws a `TypeError` if the handshake of the request is invalid. */
  upgrade(
    request: Request,
    events: SocketEvents,
    options: { subprotocol: string | undefined; headers: HeadersInit | undefined },
  ): { response: Response; socket: Socket };
}

/** Tells whether the permissions known to a process are current enough to act on. */
export interface Freshness {
  /** True after a pause of the process, until it has caught up on missed changes. */
  readonly isStale: boolean;
  /** Calls back once when permissions are current again. */
  whenFresh(callback: () => void): void;
}

/** A clock that is passed in, so that tests can control time. */
export interface Clock {
  /**
   * Milliseconds since the epoch, for stored or displayed times. It jumps when the system time is set:
   * measure durations with {@linkcode elapsed}.
   */
  now(): number;
  /** Milliseconds of a monotonic clock, for durations. */
  elapsed(): number;
  /** Calls back once after `ms` milliseconds, unless the returned function is called first. */
  after(ms: number, callback: () => void): () => void;
}

/** The system clock. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(ms, 0), MAX_TIMEOUT_MS)).unref();
    return () => clearTimeout(timer);
  },
};

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** A structured log. Fields must not contain secrets. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** The fields of a log line besides its message. */
export type LogFields = Readonly<Record<string, unknown>>;
