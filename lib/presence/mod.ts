/**
 * Presence: who is in a group, by person.
 *
 * @module
 */
export { Presence, type PresenceMessages } from "./presence.ts";
export { type PresenceDiff, type PresenceState, syncDiff, syncState } from "./state.ts";
