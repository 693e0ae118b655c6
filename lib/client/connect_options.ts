import type { ClientEnvironment } from "./environment.ts";
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
  /** Replacements for the globals of the browser or runtime. */
  readonly environment?: Partial<ClientEnvironment> | undefined;
}

/** @internal Where a socket begins to read a stream. */
export type StreamStart = NonNullable<ConnectOptions["streams"]>[string];
