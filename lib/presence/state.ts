/** Who is there: the people of a group by key, each with what is known of them. */
export type PresenceState<M> = ReadonlyMap<string, M>;

/** What changed between two states. */
export interface PresenceDiff<M> {
  readonly joined: readonly M[];
  readonly left: readonly M[];
  /** Those who stayed, and of whom something else is known now. */
  readonly updated: readonly M[];
}

/** What one process, or all of them, know of a person in a group. */
export interface PresenceEntry<M> {
  readonly meta: M;
  /** When the person came, in milliseconds since the epoch. */
  readonly since: number;
  /** When `meta` was said, in milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Returns who joined, who left and who changed from one state to the next. Who is the same object, or
 * the same JSON, has not changed.
 *
 * @example
 * ```ts
 * import { syncState } from "@sluice/sluice/presence";
 * import assert from "node:assert/strict";
 *
 * const before = new Map([["1", "Ada"], ["2", "Grace"]]);
 * const after = new Map([["2", "Grace H."], ["3", "Linus"]]);
 * assert.deepEqual(syncState(before, after), {
 *   joined: ["Linus"],
 *   left: ["Ada"],
 *   updated: ["Grace H."],
 * });
 * ```
 */
export function syncState<M>(before: PresenceState<M>, after: PresenceState<M>): PresenceDiff<M> {
  const isUpdated = ([key, meta]: [string, M]) =>
    before.has(key) && !isSame(before.get(key) as M, meta);
  return {
    joined: [...after].filter(([key]) => !before.has(key)).map(([, meta]) => meta),
    left: [...before].filter(([key]) => !after.has(key)).map(([, meta]) => meta),
    updated: [...after].filter(isUpdated).map(([, meta]) => meta),
  };
}

/** Returns the state after a change; `keyOf` says which key somebody has. */
export function syncDiff<M>(
  before: PresenceState<M>,
  diff: PresenceDiff<M>,
  keyOf: (meta: M) => string,
): PresenceState<M> {
  const after = new Map(before);
  for (const meta of diff.left) after.delete(keyOf(meta));
  for (const meta of [...diff.joined, ...diff.updated]) after.set(keyOf(meta), meta);
  return after;
}

/**
 * Returns what several processes know together: who is in one of the states is there, came when the
 * first of them says, and is what was said last.
 *
 * The order of the states, how they are grouped, and whether one comes twice make no difference: all
 * processes come to the same, whatever reaches them first.
 */
export function mergeStates<M>(
  states: Iterable<PresenceState<PresenceEntry<M>>>,
): PresenceState<PresenceEntry<M>> {
  const merged = new Map<string, PresenceEntry<M>>();
  for (const state of states) {
    for (const [key, entry] of state) {
      const known = merged.get(key);
      merged.set(key, known === undefined ? entry : mergeEntries(known, entry));
    }
  }
  return merged;
}

/** Returns what two processes know of one person together: see {@linkcode mergeStates}. */
export function mergeEntries<M>(one: PresenceEntry<M>, other: PresenceEntry<M>): PresenceEntry<M> {
  const since = Math.min(one.since, other.since);
  const last = isLater(other, one) ? other : one;
  return last.since === since ? last : { ...last, since };
}

function isLater<M>(entry: PresenceEntry<M>, than: PresenceEntry<M>): boolean {
  if (entry.at !== than.at) return entry.at > than.at;
  // Said at the same time: any order will do that is the same everywhere.
  return (JSON.stringify(entry.meta) ?? "") > (JSON.stringify(than.meta) ?? "");
}

function isSame<M>(one: M, other: M): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
