/**
 * The part of Bun's API that the adapter uses. Bun's own types would redefine globals that the other
 * runtimes have, too.
 *
 * @module
 */

/** A WebSocket of Bun's server. */
export interface BunWebSocket<Data> {
  readonly data: Data;
  send(data: string | Uint8Array): number;
  close(code: number, reason: string): void;
  terminate(): void;
  getBufferedAmount(): number;
}

/** A server of Bun. */
export interface BunNativeServer<Data> {
  readonly hostname: string;
  readonly port: number;
  upgrade(request: Request, options: { readonly headers: Headers; readonly data: Data }): boolean;
  requestIP(request: Request): { readonly address: string; readonly port: number } | null;
  stop(closeActiveConnections?: boolean): Promise<void>;
}

/** Options of `Bun.serve()`. */
export interface BunServerOptions<Data> {
  readonly hostname: string;
  readonly port: number;
  readonly reusePort: boolean;
  /** Seconds. */
  readonly idleTimeout: number;
  fetch(
    request: Request,
    server: BunNativeServer<Data>,
  ): Response | undefined | Promise<Response | undefined>;
  readonly websocket: {
    readonly maxPayloadLength: number;
    /** Seconds. */
    readonly idleTimeout: number;
    readonly sendPings: boolean;
    readonly perMessageDeflate: boolean;
    open(socket: BunWebSocket<Data>): void;
    message(socket: BunWebSocket<Data>, data: string | Uint8Array): void;
    close(socket: BunWebSocket<Data>, code: number, reason: string): void;
  };
}

/** Starts a server of Bun. Throws a `TypeError` on other runtimes. */
export function serveNatively<Data>(options: BunServerOptions<Data>): BunNativeServer<Data> {
  const { Bun: bun } = globalThis as {
    Bun?: { serve<D>(options: BunServerOptions<D>): BunNativeServer<D> };
  };
  if (bun === undefined) {
    throw new TypeError("Cannot serve: @sluice/sluice/bun needs Bun; use /node or /deno instead");
  }
  return bun.serve(options);
}
