/**
 * The server: turns requests into connections.
 *
 * @module
 */
export {
  type ConnectionLimits,
  DEFAULT_CONNECTION_LIMITS,
} from "./connection/connection_limits.ts";
export {
  type DenoServeHandler,
  type DenoServeInfo,
  type DenoServer,
  serve,
} from "./deno/deno_serve.ts";
export type { ServeHandler, ServeInfo, ServeOptions } from "./serve_options.ts";
export { denoTransport } from "./deno/deno_transport.ts";
export type { Handler, HandlerOptions, HandlerStats, NetAddress, RequestInfo } from "./handler.ts";
export { KEPT_HEADERS } from "./kept_headers.ts";
export { type BodySource, leaveBody, readBody, type ReadBodyOptions } from "../core/read_body.ts";
export { consoleLog, createLog, LOG_LEVELS, type LogLevel, type LogOptions } from "./log.ts";
export { type Peer, type ProxyOptions, resolvePeer } from "./peer.ts";
export { problem } from "./problem.ts";
export { normalizePath } from "./request_target.ts";
export { toHandler } from "./to_handler.ts";
