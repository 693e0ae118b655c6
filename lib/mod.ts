/**
 * Sluice: WebSockets where the user is known.
 *
 * @module
 */
export * from "./protocol/mod.ts";
export * from "./scope.ts";
