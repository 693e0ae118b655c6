import type { StreamPosition } from "./stream_options.ts";

/** Options of `connect()`. */
export interface ConnectOptions {
  /**
   * Fetches a single-use ticket, for a client without a session cookie. Called before every attempt.
   * The ticket is sent in the handshake's subprotocols, never in the URL, and is never reused. If the
   * server refuses a ticket, throw its `Response`: a problem document with `NOT_SIGNED_IN` or
   * `SESSION_EXPIRED` stops the attempts.
   */
  readonly ticket?: (() => Promise<string>) | undefined;
  /**
   * The id of the user shown on the page. Messages sent before the first connection are delivered only
   * if it belongs to this user; later messages are queued for the user of the last connection anyway.
   */
  readonly user?: string | undefined;
  /** Where the socket begins to read its streams, by name. @default {with messages sent from now on} */
  readonly streams?:
    | Readonly<
      Record<string, {
        /** Continues after a position: of a page that was reloaded, or of a list that the server rendered. */
        readonly from?: StreamPosition | undefined;
        /** Without `from`: how many of the newest messages are handled first. @default {0} */
        readonly newest?: number | undefined;
      }>
    >
    | undefined;
  /** Maximum number of queued messages; 0 disables the queue. @default {64} */
  readonly maxQueued?: number | undefined;
  /**
   * Upper bound of the delay after the first failed attempt, in milliseconds, at least 100.
   * @default {500}
   */
  readonly baseDelayMs?: number | undefined;
  /** Largest upper bound of the delays, in milliseconds, at least 1,000. @default {20_000} */
  readonly maxDelayMs?: number | undefined;
  /** Time limit of an attempt, in milliseconds, at least 100. @default {15_000} */
  readonly openTimeoutMs?: number | undefined;
  /**
   * How long a connection must live before the delays start small again, in milliseconds, at least
   * 1,000.
   * @default {10_000}
   */
  readonly stableAfterMs?: number | undefined;
  /**
   * Replacements for what the client takes from its runtime; the default of each is the global.
   *
   * The baseline is ES2022 with `fetch`, `URL`, `AbortController` and `performance.now()`: browsers of
   * 2022 (Safari 15.4), Node 22, Deno, Bun, and React Native, which reports neither network nor
   * visibility changes; provide a `listen` there.
   */
  readonly environment?: {
    /**
     * The class of sockets, with the part of `WebSocket` that the client uses; those of browsers, Deno,
     * Node and `ws` qualify.
     */
    readonly WebSocket?: new (url: string, protocols: string[]) => {
      /** 1 while messages can be sent. */
      readonly readyState: number;
      /** Queues a text message. */
      send(data: string): void;
      /** Ends the connection or the attempt. */
      close(code?: number): void;
      /** Listens to `open`, `message`, `error` or `close`. */
      addEventListener(
        type: string,
        listener: (event: {
          readonly type: string;
          /** The message; a string if it is text. */
          readonly data?: unknown;
          /** Close code of RFC 6455 §7.4; 1006 if the connection was lost. */
          readonly code?: number;
          /** Close reason from the server. */
          readonly reason?: string;
        }) => void,
      ): void;
    };
    /** Reads the reason of a refusal. */
    readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
    /** Base URL of relative paths: the URL of the page. */
    readonly baseUrl?: string | undefined;
    /** Milliseconds of a monotonic clock. */
    now?(): number;
    /** Calls back once after `ms` milliseconds, unless the returned function is called first. */
    after?(ms: number, callback: () => void): () => void;
    /** Returns a random number in [0, 1). */
    random?(): number;
    /** Whether the machine may be online. */
    isOnline?(): boolean;
    /** Whether the page is hidden. */
    isHidden?(): boolean;
    /** Calls back on each change; returns a function that stops this. */
    listen?(change: "online" | "offline" | "visible", callback: () => void): () => void;
    /** Receives errors of handlers and malformed frames of the server. */
    report?(error: unknown): void;
  } | undefined;
}

/** @internal Where a socket begins to read a stream. */
export type StreamStart = NonNullable<ConnectOptions["streams"]>[string];
