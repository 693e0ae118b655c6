/** Who is there: the people of a topic by key, each with what they said of themselves. */
export type PresenceState<M> = ReadonlyMap<string, M>;

/** What changed between two states. */
export interface PresenceDiff<M> {
  readonly joined: readonly M[];
  readonly left: readonly M[];
}

/** Returns who joined and who left from one state to the next. */
export function syncState<M>(before: PresenceState<M>, after: PresenceState<M>): PresenceDiff<M> {
  return {
    joined: [...after].filter(([key]) => !before.has(key)).map(([, meta]) => meta),
    left: [...before].filter(([key]) => !after.has(key)).map(([, meta]) => meta),
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
  for (const meta of diff.joined) after.set(keyOf(meta), meta);
  return after;
}
