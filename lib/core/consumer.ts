import type { StreamMark } from "../protocol/frames.ts";

/**
 * Serves one connection. The classes in `@sluice/sluice/consumers` implement it.
 *
 * Methods are called one at a time, in the order of the messages; each call waits until the promise of
 * the previous one has settled. An error in one consumer never affects another connection.
 */
export interface ConnectionHandler {
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
  readonly forwards?: ((message: LayerMessage) => string | undefined) | undefined;
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
  reauthorize?(): void | Promise<void>;
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
  onRateLimited?(data: string | Uint8Array): void;
  /**
   * Returns what handles a plain `POST` to the path of a socket: messages for an event stream. Without
   * this method the request is handled like a `GET`.
   */
  eventPost?(): ConnectionHandler;
  /**
   * The policy when the send queue of a client is full, because it reads too slowly:
   *
   * - `close`: the socket is closed with 4408, and the client reconnects.
   * - `drop-oldest`: the oldest queued messages are dropped and counted.
   * - `latest`: like `drop-oldest`, and a queued message is replaced by a newer one with the same key.
   *
   * @default {"close"}
   */
  readonly slowReader?: "close" | "drop-oldest" | "latest";
}

/** @internal The policy when the send queue of a client is full. */
export type SlowReaderPolicy = NonNullable<ConnectionHandler["slowReader"]>;

/** A message on a channel layer. Its type selects the handler. */
export interface LayerMessage {
  /** Selects the handler. */
  readonly type: string;
  /** Plain data: what JSON can represent. */
  readonly data?: unknown;
  /** The place of the message in a stream, if it belongs to one. */
  readonly mark?: StreamMark;
}

/** A period in which layer messages may have been missed because this process was disconnected. */
export interface LayerGap {
  /** The last time up to which all messages arrived, in milliseconds since the epoch. */
  readonly since: number;
  /** The time from which all messages arrive again, in milliseconds since the epoch. */
  readonly until: number;
}

/**
 * Thrown to stop a consumer's method without logging an error.
 *
 * @example
 * ```ts
 * import { Consumer } from "@sluice/sluice";
 * import { StopConsumer } from "@sluice/sluice/consumers";
 * import { communicate } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * class Polite extends Consumer {
 *   override receive(data: string | Uint8Array): void {
 *     if (data === "quiet") throw new StopConsumer();
 *     this.send(data);
 *   }
 * }
 *
 * await using peer = communicate(Polite);
 * assert.equal((await peer.connect()).accepted, true);
 * peer.send("quiet");
 * peer.send("hello");
 * assert.equal(await peer.receive(), "hello");
 * ```
 */
export class StopConsumer extends Error {
  /** Always `StopConsumer`. */
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
