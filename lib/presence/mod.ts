/**
 * Presence: who is in a group, by person.
 *
 * @module
 */
export { Presence, type PresenceMessages, type PresenceOptions } from "./presence.ts";
export {
  mergeEntries,
  mergeStates,
  type PresenceDiff,
  type PresenceEntry,
  type PresenceState,
  syncDiff,
  syncState,
} from "./state.ts";
export type { PresencePage } from "./topic.ts";
