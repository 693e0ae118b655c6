/**
 * Presence: the users in a group, each listed once.
 *
 * @module
 */
export { Presence } from "./presence.ts";
export { PresenceError } from "./presence_error.ts";
export { syncDiff, syncState } from "./state.ts";
