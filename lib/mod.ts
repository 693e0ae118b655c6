/**
 * Sluice: authenticated WebSockets.
 *
 * @module
 */
export * from "./protocol/mod.ts";
export * from "./core/clock.ts";
export * from "./core/connection.ts";
export * from "./core/consumer.ts";
export * from "./core/freshness.ts";
export * from "./core/log.ts";
export * from "./core/scope.ts";
export * from "./core/transport.ts";
