import type { Refusal } from "../protocol/mod.ts";
import type { Clock, Freshness, Log, Scope, Transport } from "../scope.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import type { ProxyOptions } from "./peer.ts";

/** Where a peer is, as `Deno.serve` and Fresh report it. */
export interface NetAddress {
  readonly hostname: string;
  readonly port: number;
}

/** What a server says of a request beside it. */
export interface RequestInfo {
  readonly remoteAddr?: unknown;
}

/** Options of `toHandler()`. */
export interface HandlerOptions extends ProxyOptions {
  readonly limits?: Partial<ConnectionLimits>;
  readonly transport?: Transport;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Says when nothing is to be acted on, as it may be out of date: connections stand still then. */
  readonly freshness?: Freshness;
  /**
   * Headers that can be read as long as a socket is open, in lower case, or `all` (which costs about a
   * quarter of an upgrade, and memory): others can be read until the client is let in, and then throw.
   * Cookies are read from `cookie`. @default {KEPT_HEADERS}
   */
  readonly keepHeaders?: readonly string[] | "all";
  /** Called for each request that was turned away. */
  readonly onRefusal?: (refusal: Refusal, scope: Scope) => void;
  /** Random numbers in [0, 1), for spreading. */
  readonly random?: () => number;
}

/** What a handler has in hand. */
export interface HandlerStats {
  /** Connections that were accepted and are not over. */
  readonly open: number;
  /** Connections that were accepted since the start. */
  readonly accepted: number;
  /** Consumers that let somebody in since the start. */
  readonly connected: number;
  /** Of these, whose `disconnect()` was called: all but those that are open, exactly. */
  readonly disconnected: number;
  /** Connections that are over, and whose peer has not yet let go of the network connection. */
  readonly lingering: number;
  /** How often was refused since the start, by code. */
  readonly refused: ReadonlyMap<string, number>;
  /** Messages of the layer that were dropped since the start, as no handler took them. */
  readonly unhandled: number;
  /** Clients that read slowly, and have something waiting that can still be dropped. */
  readonly stalled: number;
  /** Messages that were dropped since the start, as their clients read too slowly. */
  readonly dropped: number;
}

/** Answers requests to `/ws/…`: lets them in, or says why not. */
export interface Handler {
  /** Answers in the same turn where everything is known that decides. */
  (request: Request, info?: RequestInfo): Response | Promise<Response>;
  /**
   * Lets nobody in any more, and ends all connections with 1012, spread evenly over `windowMs`.
   * Resolves when all are over and their peers have let go, at the latest 1 s after the window.
   */
  drain(windowMs: number): Promise<void>;
  /** Ends all connections. Returns how many. */
  endAll(code: number, reason: string): number;
  readonly isDraining: boolean;
  readonly stats: HandlerStats;
}
