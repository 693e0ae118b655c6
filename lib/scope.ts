/**
 * The types everything meets in: what is known of a connection, what decides about it, and what
 * serves it.
 *
 * @module
 */
import { performance } from "node:perf_hooks";
import { clearTimeout, setTimeout } from "node:timers";
import type { CloseCode, Refusal } from "./protocol/mod.ts";

/**
 * What is known of one connection. Middleware adds to it: see {@linkcode Application}.
 *
 * *Security*: all of it but `address` and `id` comes from the peer.
 */
export interface Scope {
  /** `websocket` for an upgrade, else `http`. */
  readonly type: "websocket" | "http";
  /** Names the connection in logs; unique in this process and not secret. */
  readonly id: string;
  readonly method: string;
  /** The whole address as people see it: behind a proxy the public one. */
  readonly url: URL;
  /** The path, still percent-encoded; letters, digits, `-`, `.`, `_` and `~` never are. */
  readonly path: string;
  readonly query: URLSearchParams;
  /**
   * The headers of the request: all of them until the client is let in. While a socket is open those that
   * the handler keeps (`keepHeaders`); to ask for another one throws a `TypeError`.
   */
  readonly headers: Headers;
  readonly cookies: ReadonlyMap<string, string>;
  /** What the client offered, in its order; without tickets. */
  readonly subprotocols: readonly string[];
  /** The ticket that was offered beside them. *Security*: a credential; never log it. */
  readonly ticket: string | undefined;
  /** The peer's address, without port; behind a trusted proxy the client's. */
  readonly address: string;
  /** What the router took from the path. */
  readonly params: Readonly<Record<string, string | number>>;
  /** What is left of the path for a nested router; begins with `/`. */
  readonly pathRemaining: string;
  /** What the client sent with its request; undefined for an upgrade, and where it sent nothing. */
  readonly body?: ReadableStream<Uint8Array> | undefined;
  readonly connection: Connection;
}

/**
 * What decides about a connection: a router, a middleware around one, or a whole stack.
 *
 * It resolves to the consumer that serves the connection, a {@linkcode Refusal}, or a `Response` of
 * its own. Its type parameter says what it needs to know, so that a middleware which adds to the
 * scope has the type `(next: Application<S & Added>) => Application<S>`, and a stack with a gap does
 * not compile.
 */
export type Application<in S> = (scope: S) => Admission | Promise<Admission>;

/**
 * Wraps an application: needs what `Needs` says of the scope, and adds what `Adds` says.
 *
 * Middleware that only wraps, such as a log, needs a `Scope` and adds `unknown`.
 */
export interface Middleware<in Needs, out Adds = unknown> {
  <S extends Needs>(next: Application<S & Adds>): Application<S>;
}

/** The scope of a connection whose origin was checked, or explicitly need not be. */
export interface OriginScope extends Scope {
  readonly originChecked: true;
}

/** The scope of a connection of which it was decided who may open it. */
export interface AudienceScope extends Scope {
  /** `users`: signed-in users only. `anyone`: anonymous clients as well. */
  readonly audience: "users" | "anyone";
}

/** What an {@linkcode Application} decided. */
export type Admission = Consumer | Refusal | Response;

/**
 * Serves one connection. The classes in `@sluice/sluice/consumers` implement it.
 *
 * Its methods are called one at a time, each after the promise of the one before has settled, in the
 * order in which messages came. What one of them throws never reaches another connection.
 */
export interface Consumer {
  /** Decides: calls `connection.accept()`, or `connection.refuse()`, or neither (which refuses). */
  start(): void | Promise<void>;
  /** Handles a message of the client. */
  receive(data: string | Uint8Array): void | Promise<void>;
  /** Handles a message of the channel layer. */
  event(message: LayerMessage): void | Promise<void>;
  /**
   * Returns what a message of the layer is on the wire, where the consumer sends it to its client as it
   * is: then {@linkcode event} is not called for it. One function for all consumers of a kind.
   */
  readonly passes?: ((message: LayerMessage) => string | undefined) | undefined;
  /** Called in turn with the other methods after a gap of the layer: fetches anew what it keeps. */
  gap?(gap: LayerGap): void | Promise<void>;
  /**
   * Called exactly once for each connection that was accepted: after the method that is running at
   * the end has settled, or after 5 s, whichever comes first.
   */
  disconnect(code: number, reason: string): void | Promise<void>;
  /**
   * Called at once when the scope has changed, beside whatever method runs: checks again what the
   * client may. A promise that rejects ends the connection with 1011.
   */
  authorizeAgain?(): void | Promise<void>;
  /** Called in turn with the other methods when the scope has changed: which parts of it. */
  scopeChanged?(parts: readonly string[]): void | Promise<void>;
  /**
   * Returns the answer to a message that keeps the connection alive and asks for nothing else, or the
   * empty string if it asks for no answer. `undefined`: it is a message like any other. The answer is
   * sent at once, beside the method that runs; the message counts for no limit and is not handled.
   */
  answerPing?(data: string): string | undefined;
  /** Handles a message of the client that came too fast. Without it the socket is closed: 4429. */
  overrun?(data: string | Uint8Array): void;
  /** What happens to a client that reads too slowly. @default {"close"} */
  readonly slowReader?: SlowReaderPolicy;
}

/**
 * What happens when more waits for a client than it may have waiting:
 *
 * - `close`: the socket is closed with 4408, and the client comes back.
 * - `drop-oldest`: what has waited longest is dropped, and counted.
 * - `latest`: as `drop-oldest`; and of messages that were sent with the same key only the newest waits.
 */
export type SlowReaderPolicy = "close" | "drop-oldest" | "latest";

/** A message on a channel layer: its type says which handler it is for. */
export interface LayerMessage {
  readonly type: string;
  readonly data?: unknown;
}

/** A time in which messages of the layer may have been missed: this process was cut off from the others. */
export interface LayerGap {
  /** The last moment of which it is known that everything arrived, in milliseconds since the epoch. */
  readonly since: number;
  /** From when on everything arrives again, in milliseconds since the epoch. */
  readonly until: number;
}

/** How a connection is accepted. */
export interface AcceptOptions {
  /** One of those that the client offered. */
  readonly subprotocol?: string | undefined;
  /** Further headers of the 101. */
  readonly headers?: HeadersInit | undefined;
}

/** Status and headers of an answer. */
export interface ResponseHead {
  /** @default {200} */
  readonly status?: number | undefined;
  readonly headers?: HeadersInit | undefined;
}

/**
 * A plain request that was let in, on its way to an answer. What comes after its head goes through
 * `Connection.send()`; `Connection.end(1000)` completes it, any other code breaks it off.
 */
export interface Exchange {
  /**
   * Begins the answer: sends its head, and with `body` all of it.
   *
   * @throws {TypeError} It has begun already.
   */
  respond(head: ResponseHead, body?: Uint8Array): void;
  /** Resolves when the peer has read enough for more to be sent, or when the connection is over. */
  drained(): Promise<void>;
}

/** Why and how a connection ended. */
export interface ConnectionEnd {
  readonly code: CloseCode | number;
  readonly reason: string;
  /** Whether the server ended it, rather than the peer or the network. */
  readonly byServer: boolean;
}

/** What learns of a connection's end: a function, or an object, which takes less than a closure. */
export type EndListener = ((end: ConnectionEnd) => void) | { ended(end: ConnectionEnd): void };

/**
 * One connection, from its request until its end.
 *
 * It ends logically, at once and exactly once: from then on nothing is sent, nothing is handled, and
 * every `onEnd` listener has been told. The network connection follows when the peer lets it.
 */
export interface Connection {
  readonly id: string;
  /** Where to write what went wrong with it. */
  readonly log: Log;
  /** `deciding` until accepted, then `open` (sends wait for the 101), then `ended`. */
  readonly phase: "deciding" | "open" | "ended";
  /** When the last message of the client arrived, in milliseconds since the epoch. */
  readonly lastReceivedAt: number;
  /** Bytes that wait to be written to the peer. */
  readonly bufferedAmount: number;
  /** Lets the client in. Throws {@linkcode StopConsumer} where the request is no upgrade. */
  accept(options?: AcceptOptions): void;
  /**
   * Lets a plain request in: the connection is `open` until its answer is complete. An upgrade is
   * answered as if it had asked for none (RFC 9110 §7.8).
   */
  acceptRequest(): Exchange;
  /** Turns the client away. No effect once a socket is in, or the answer to a request has begun. */
  refuse(refusal: Refusal): void;
  /** Takes one message from the allowance of this connection. False where it came too fast. */
  takeMessage(): boolean;
  /** Takes one keep-alive from the larger allowance for those. False if too many arrived. */
  takePing(): boolean;
  /**
   * Queues a message. Returns false where it was dropped: ended, or the peer reads too slowly.
   *
   * `key` is for the policy `latest`: a message that still waits with the same key is replaced.
   */
  send(data: string | Uint8Array, key?: string): boolean;
  /**
   * Queues a frame of the subprotocol. Frames that are due in the same turn of the event loop go out
   * as one message, one per line, where the client selected `sluice.v1`; none waits for another.
   */
  sendFrame(frame: string, key?: string): boolean;
  /** Ends the connection. Later calls have no effect. */
  end(code: number, reason?: string): void;
  /** Tells `listener` once at the end, or at once where it is over already; the same one only once. */
  onEnd(listener: EndListener): void;
  /** Takes a listener back. */
  offEnd(listener: EndListener): void;
  /** Tells the consumer that parts of its scope, such as `user` or `session`, were replaced. */
  scopeChanged(parts: readonly string[]): void;
  /** Queues a message of the layer for the consumer. Returns false where it was dropped. */
  deliver(message: LayerMessage): boolean;
  /** Tells the consumer, in its turn, that the layer had a gap. */
  gap(gap: LayerGap): void;
  /**
   * Calls back after `ms` milliseconds, in turn with the consumer's methods, unless the connection is
   * over by then. Returns how to take it back.
   */
  after(ms: number, callback: () => void | Promise<void>): () => void;
}

/** Thrown to end a consumer quietly: what follows in the method does not run, nothing is logged. */
export class StopConsumer extends Error {
  override readonly name = "StopConsumer";
}

/**
 * Thrown by `Consumer.event()` for a message of the layer that it has no handler for: the server drops
 * the message, counts it and logs it once for each type. The socket stays open.
 */
export class UnhandledMessageError extends Error {
  override readonly name = "UnhandledMessageError";
  /** The message's type. */
  readonly type: string;

  constructor(type: string) {
    super(`No handler for the layer message "${type}"`);
    this.type = type;
  }
}

/** A message-oriented socket of some runtime; {@linkcode SocketEvents} says what it reports. */
export interface Socket {
  /** Bytes that were sent and not yet written to the network. */
  readonly bufferedAmount: number;
  send(data: string | Uint8Array): void;
  /** Begins the closing handshake. */
  close(code: number, reason: string): void;
  /** Drops the network connection at once, where the runtime can. */
  terminate?(): void;
}

/** What a {@linkcode Socket} reports. None of them may throw. */
export interface SocketEvents {
  open(): void;
  message(data: string | Uint8Array): void;
  /** The end of the network connection; may come more than once, or never. */
  close(code: number, reason: string): void;
}

/** Turns a request into a socket, on one runtime. */
export interface Transport {
  /** Throws `TypeError` where the request's handshake is not valid. */
  upgrade(
    request: Request,
    events: SocketEvents,
    options: { subprotocol: string | undefined; headers: HeadersInit | undefined },
  ): { response: Response; socket: Socket };
}

/** Whether what a process knows of its connections' permissions is fresh enough to act on. */
export interface Freshness {
  /** True after the process was paused, until it has learned what happened meanwhile. */
  readonly isStale: boolean;
  /** Calls back once, when it is fresh again. */
  whenFresh(callback: () => void): void;
}

/** Time, handed in: tests move it. */
export interface Clock {
  /**
   * Milliseconds since the epoch, for what is stored or shown. It jumps when the machine's time is set:
   * measure durations with {@linkcode elapsed}.
   */
  now(): number;
  /** Milliseconds since a fixed moment of this process, for durations. It never goes back. */
  elapsed(): number;
  /** Calls back once after `ms` milliseconds, unless the returned function was called. */
  after(ms: number, callback: () => void): () => void;
}

/** The machine's clock. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, MAX_TIMEOUT_MS)).unref();
    return () => clearTimeout(timer);
  },
};

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Structured log lines. Fields hold no secrets. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** What a log line says besides its message. */
export type LogFields = Readonly<Record<string, unknown>>;
