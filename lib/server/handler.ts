import type { Refusal } from "../protocol/mod.ts";
import type { Clock } from "../core/clock.ts";
import type { Freshness } from "../core/freshness.ts";
import type { Log } from "../core/log.ts";
import type { Scope } from "../core/scope.ts";
import type { Transport } from "../core/transport.ts";

/** Options of `toHandler()`. */
export interface HandlerOptions {
  /** The public URL of the site. Its scheme, host and port replace those of every request. */
  readonly publicUrl?: string | URL | undefined;
  /** Whether to trust the peer's `X-Forwarded-For`, `-Proto` and `-Host`. @default {false} */
  readonly trustProxy?: boolean | undefined;
  /** Limits of each connection; the others keep their defaults. */
  readonly limits?: {
    /** Largest message accepted from a client, in bytes. @default {65_536} */
    readonly maxMessageBytes?: number;
    /** Messages that a client may send per second. @default {50} */
    readonly messagesPerSecond?: number;
    /** Messages that a client may send in one burst. @default {100} */
    readonly messageBurst?: number;
    /** Bytes queued for the peer before the connection is closed with 4408. @default {1_048_576} */
    readonly sendBufferBytes?: number;
    /** Layer messages queued for the consumer; more are dropped. @default {100} */
    readonly mailboxCapacity?: number;
    /** Bytes of client messages queued for the consumer. @default {1_048_576} */
    readonly inboxBytes?: number;
    /** Time to accept or refuse a request, in milliseconds. @default {10_000} */
    readonly decisionTimeoutMs?: number;
    /**
     * Time for an accepted socket to open, in milliseconds. The runtime does not report a peer that
     * vanishes before the 101 response. @default {10_000}
     */
    readonly openTimeoutMs?: number;
    /** Time to answer an accepted plain request, in milliseconds. @default {60_000} */
    readonly answerTimeoutMs?: number;
    /**
     * Maximum age of a connection, in milliseconds. Older connections are closed with 1001, and their
     * clients reconnect. @default {Infinity}
     */
    readonly maxLifeMs?: number;
    /** How long `disconnect()` waits for a running method, in milliseconds. @default {5_000} */
    readonly teardownGraceMs?: number;
  } | undefined;
  /**
   * Upgrades requests. @default {the transport of the server, or that of Deno}
   *
   * @internal
   */
  readonly transport?: Transport | undefined;
  /** Times limits and timeouts. */
  readonly clock?: Clock | undefined;
  /** Receives problems with connections, and a warning for the first malformed header of a proxy. */
  readonly log?: Log | undefined;
  /** Tells when permissions may be out of date; connections pause until they are current. */
  readonly freshness?: Freshness | undefined;
  /**
   * Headers that stay readable while a socket is open, in lower case, or `all`, which adds memory and
   * about a quarter to the cost of an upgrade. Other headers are readable until the client is
   * accepted; then they throw. Cookies are read from `cookie`. @default {KEPT_HEADERS}
   */
  readonly keepHeaders?: readonly string[] | "all" | undefined;
  /** Called for each refused request. */
  readonly onRefusal?: ((refusal: Refusal, scope: Scope) => void) | undefined;
  /** Random numbers in [0, 1), used to spread reconnections. */
  readonly random?: (() => number) | undefined;
}

/** Answers requests to `/ws/…`: accepts them or refuses them with a reason. */
export interface Handler {
  /** Returns synchronously if the decision needs no wait. */
  (request: Request, info?: {
    /** Address of the peer, as `Deno.serve()`, Fresh and the other servers report it. */
    readonly remoteAddr?: unknown;
    /**
     * Upgrades this request; the servers for Node and Bun provide it.
     *
     * @internal
     */
    readonly transport?: Transport | undefined;
  }): Response | Promise<Response>;
  /**
   * Refuses new requests and ends all connections with 1012, spread evenly over `windowMs`. Resolves
   * when all peers have closed their network connections, at most 1 s after the window.
   */
  drain(windowMs: number): Promise<void>;
  /** Ends all connections and returns their number. */
  endAll(code: number, reason: string): number;
  /** Whether `drain()` was called. */
  readonly isDraining: boolean;
  /** Counters since the start. Each read returns a new object. */
  readonly stats: {
    /** Accepted connections that are still open. */
    readonly open: number;
    /** Connections accepted since the start. */
    readonly accepted: number;
    /** Consumers that accepted a client since the start. */
    readonly connected: number;
    /** Consumers whose `disconnect()` was called: exactly `connected` minus those that are open. */
    readonly disconnected: number;
    /** Ended connections whose peer has not yet closed the network connection. */
    readonly lingering: number;
    /** Refusals since the start, by code. */
    readonly refused: ReadonlyMap<string, number>;
    /** Layer messages dropped since the start because the consumer has no handler for them. */
    readonly unhandled: number;
    /** Slow readers with queued messages that can still be dropped. */
    readonly stalled: number;
    /** Messages dropped since the start because their clients read too slowly. */
    readonly dropped: number;
  };
}
