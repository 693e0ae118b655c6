import type { Log } from "../core/log.ts";
import type { Transport } from "../core/transport.ts";
import type { Handler } from "./handler.ts";

/** The address that a server listens on, or that of a peer. */
export interface NetAddress {
  readonly hostname: string;
  readonly port: number;
}

/** Answers the requests of a server: a {@linkcode Handler}, or a function that may call one. */
export type ServeHandler = (request: Request, info: {
  readonly remoteAddr: NetAddress;
  readonly transport?: Transport | undefined;
}) => Response | Promise<Response>;

/** Options of `serve()` on every runtime. */
export interface ServeOptions {
  /** The address to listen on. @default {"127.0.0.1"} */
  readonly hostname?: string | undefined;
  /** 0 selects a free port. @default {8000} */
  readonly port?: number | undefined;
  /**
   * Whether other processes may share the port. If so, a signal stops listening at once.
   * @default {false}
   */
  readonly reusePort?: boolean | undefined;
  /**
   * The site's own address, if the handler takes it from here and not from requests: then it does not
   * matter whether a request target begins with `https:`. @default {undefined}
   */
  readonly publicUrl?: string | undefined;
  /** Stops like a signal but keeps listening: for when all processes that share the port stop. */
  readonly signal?: AbortSignal | undefined;
  /** Called once the server listens. */
  readonly onListen?:
    | ((address: { readonly hostname: string; readonly port: number }) => void)
    | undefined;
  /**
   * Ends open connections when the server stops. @default {`drain(1000)` of the handler, if it is a
   * `Handler`}
   */
  readonly drain?: (() => Promise<void>) | undefined;
  /** How long `drain` may take, in milliseconds. @default {10_000} */
  readonly drainMs?: number | undefined;
  /** Releases everything else after the last response. */
  readonly close?: (() => Promise<void>) | undefined;
  /** Receives failures of requests and the stop. @default {consoleLog} */
  readonly log?: Log | undefined;
}

/** Time limit of each step of a stop apart from the drain, in milliseconds. */
export const CLOSE_MS = 1_500;

/** Window of the drain of a handler whose server has no `drain` option, in milliseconds. */
const DRAIN_WINDOW_MS = 1_000;

/** The steps of a stop, in order: connections end, the server closes, the rest is released. */
export async function shutDown(
  handler: object | Handler,
  options: ServeOptions,
  closeServer: () => Promise<void>,
): Promise<void> {
  const own = "drain" in handler ? () => handler.drain(DRAIN_WINDOW_MS) : undefined;
  const drain = options.drain ?? own;
  await atMost((options.drainMs ?? 10_000) + CLOSE_MS, drain?.());
  await atMost(CLOSE_MS, closeServer());
  await atMost(CLOSE_MS, options.close?.());
}

/** Waits at most `ms` for work that may hang or fail. */
function atMost(ms: number, work: Promise<void> | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    (work ?? Promise.resolve()).then(done, done);
  });
}
