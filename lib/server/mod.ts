/**
 * The server: turns requests into connections.
 *
 * @module
 */
export { type Clock, systemClock } from "../core/clock.ts";
export { consoleLog, createLog, type Log } from "../core/log.ts";
export type { Handler, HandlerOptions } from "./handler.ts";
export { readBody } from "../core/read_body.ts";
export { resolvePeer } from "./peer.ts";
export { problem } from "./problem.ts";
export { toHandler } from "./to_handler.ts";
