/**
 * Sluice: authenticated WebSockets.
 *
 * @module
 */
export * from "./protocol/mod.ts";
export * from "./scope.ts";
