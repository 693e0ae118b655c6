import type { Messages } from "../../protocol/mod.ts";
import { type Backoff, clampMs } from "../backoff.ts";
import type { ConnectOptions } from "../connect_options.ts";
import type { ClientEnvironment } from "../environment.ts";
import type { RealtimeSocket, SocketState } from "../realtime_socket.ts";

/** See `RealtimeSocket.detail`. */
export type Detail = RealtimeSocket<Messages>["detail"];

/** The detail of a connection without a problem. */
export const QUIET: Detail = {
  attempt: 0,
  retryInMs: undefined,
  code: undefined,
  reason: "",
  transport: "websocket",
};

/** Events of `Link`. */
export interface LinkEvents {
  text(text: string): void;
  /** Sends a ping; calls `answered` when its reply arrives. */
  ping(answered: () => void): void;
  change(state: SocketState, detail: Detail): void;
  /** Whether no reply is pending. */
  isIdle(): boolean;
}

/** Options of `Link`. */
export interface LinkOptions extends Backoff {
  readonly url: string;
  readonly environment: ClientEnvironment;
  readonly ticket: (() => Promise<string>) | undefined;
  readonly openTimeoutMs: number;
  readonly stableAfterMs: number;
}

/** Fills in the defaults, and clamps each time to its range. */
export function toLinkOptions(
  url: string,
  environment: ClientEnvironment,
  options: ConnectOptions,
): LinkOptions {
  return {
    url,
    environment,
    ticket: options.ticket,
    baseDelayMs: clampMs(options.baseDelayMs, 500, 100),
    maxDelayMs: clampMs(options.maxDelayMs, 20_000, 1_000),
    openTimeoutMs: clampMs(options.openTimeoutMs, 15_000, 100),
    stableAfterMs: clampMs(options.stableAfterMs, 10_000, 1_000),
    random: environment.random,
  };
}
