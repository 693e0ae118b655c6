/**
 * The users in a group: the `meta` of each by its key.
 *
 * @internal
 */
export type PresenceState<M> = ReadonlyMap<string, M>;

/** A user's entry in a group, as one process has it or merged from all. */
export interface PresenceEntry<M> {
  /** What the application shows of the user. */
  readonly meta: M;
  /** When the user entered, in milliseconds since the epoch. */
  readonly since: number;
  /** When `meta` was set, in milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Returns the users who joined, left or changed from one state to the next. The same object, or the
 * same JSON, is not a change.
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
export function syncState<M>(before: PresenceState<M>, after: PresenceState<M>): {
  /** Users that are new. */
  readonly joined: readonly M[];
  /** Users that are gone. */
  readonly left: readonly M[];
  /** Users who stayed, with a different `meta`. */
  readonly updated: readonly M[];
} {
  const isUpdated = ([key, meta]: [string, M]) =>
    before.has(key) && !isSame(before.get(key) as M, meta);
  return {
    joined: [...after].filter(([key]) => !before.has(key)).map(([, meta]) => meta),
    left: [...before].filter(([key]) => !after.has(key)).map(([, meta]) => meta),
    updated: [...after].filter(isUpdated).map(([, meta]) => meta),
  };
}

/**
 * Returns the state after a change; `keyOf` returns a user's key.
 *
 * @example
 * ```ts
 * import { syncDiff } from "@sluice/sluice/presence";
 * import assert from "node:assert/strict";
 *
 * const before = new Map([["ada", { id: "ada" }]]);
 * const diff = { joined: [{ id: "grace" }], left: [{ id: "ada" }], updated: [] };
 * assert.deepEqual([...syncDiff(before, diff, ({ id }) => id).keys()], ["grace"]);
 * ```
 */
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
 * Merges the entries that two processes have of one user: present since the earlier `since`, with the
 * later `meta`. The merge is commutative, associative and idempotent: all processes reach the same
 * result, in whatever order the entries arrive.
 */
export function mergeEntries<M>(one: PresenceEntry<M>, other: PresenceEntry<M>): PresenceEntry<M> {
  const since = Math.min(one.since, other.since);
  const last = isLater(other, one) ? other : one;
  return last.since === since ? last : { ...last, since };
}

function isLater<M>(entry: PresenceEntry<M>, than: PresenceEntry<M>): boolean {
  if (entry.at !== than.at) return entry.at > than.at;
  // Set at the same time: any order works that is the same on all processes.
  return (JSON.stringify(entry.meta) ?? "") > (JSON.stringify(than.meta) ?? "");
}

/** Returns whether two values of `meta` are the same as JSON. */
export function isSame<M>(one: M, other: M): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

/** @internal What changed between two states. */
export type PresenceDiff<M> = ReturnType<typeof syncState<M>>;
