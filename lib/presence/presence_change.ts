import type { Changes } from "../gossip/gossip_message.ts";
import type { PresenceEntry } from "./state.ts";

/** What a process knows of a person in a group: nothing, where the person is not there any more. */
export type Change<M> = readonly [group: string, key: string, entry: PresenceEntry<M> | null];

/** How processes tell each other of people. */
export function presenceChanges<M>(): Changes<Change<M>> {
  return {
    isChange,
    // The name of a group has no space.
    keyOf: ([group, key]) => `${group} ${key}`,
    isGone: ([, , entry]) => entry === null,
    gone: ([group, key]) => [group, key, null],
  };
}

function isChange<M>(change: unknown): change is Change<M> {
  if (!Array.isArray(change) || change.length !== 3) return false;
  const [group, key, entry] = change as unknown[];
  if (typeof group !== "string" || typeof key !== "string") return false;
  if (entry === null) return true;
  if (typeof entry !== "object") return false;
  const { since, at } = entry as Record<string, unknown>;
  return Number.isFinite(since) && Number.isFinite(at);
}
