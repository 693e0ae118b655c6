import type { Changes } from "../cluster/sync_message.ts";
import { LayerError } from "../layers/mod.ts";
import { copyMessage } from "../layers/input.ts";
import { PresenceError } from "./presence_error.ts";
import type { PresenceEntry } from "./state.ts";

/** A user's entry in a group, as one process has it; null if the user has left. */
export type Change<M> = readonly [group: string, key: string, entry: PresenceEntry<M> | null];

/** Later times (past the year 5000) are invalid. */
const MAX_TIME = 1e14;

/** Describes the changes that processes exchange: entries of at most `maxBytes` bytes. */
export function presenceChanges<M>(maxBytes: number): Changes<Change<M>> {
  return {
    parse: (value) => parseChange(value, maxBytes),
    keyOf: ([group, key]) => `${group.length} ${group} ${key}`,
    isGone: ([, , entry]) => entry === null,
    gone: ([group, key]) => [group, key, null],
  };
}

/**
 * Returns a frozen copy of a user's `meta`, checked to reach other processes unchanged.
 *
 * @throws {PresenceError} `INVALID_ENTRY`: `meta` holds a value that JSON does not preserve; the error
 * names its path. `ENTRY_TOO_LARGE`: group, key and meta exceed `maxBytes` bytes as JSON in UTF-8.
 */
export function copyMeta<M>(
  entry: readonly [group: string, key: string, meta: M],
  maxBytes: number,
): M {
  if (typeof entry[0] !== "string" || typeof entry[1] !== "string") {
    throw new PresenceError("INVALID_ENTRY", "Cannot enter: group and key must be strings");
  }
  try {
    const plain = copyMessage(nested(entry), maxBytes + ENVELOPE_BYTES);
    return (plain.message.data as Nested<typeof entry>).changes[0][0].entry[2];
  } catch (error) {
    if (error instanceof LayerError) {
      const what = `its group, key and meta have more than ${maxBytes} bytes as JSON`;
      throw new PresenceError("ENTRY_TOO_LARGE", `Cannot enter: ${what}`);
    }
    const why = error instanceof TypeError ? error.message : "meta cannot be read";
    const message = `Cannot enter: ${why.replace(/^.*data\.changes\.0\.0\.entry\.2/, "meta")}`;
    throw new PresenceError("INVALID_ENTRY", message, { cause: error });
  }
}

interface Nested<E> {
  readonly changes: readonly [readonly [{ readonly entry: E }]];
}

/** Nests an entry as deeply as the real message does, so that the depth limit applies to both. */
function nested<E>(entry: E): { type: string; data: Nested<E> } {
  return { type: "presence", data: { changes: [[{ entry }]] } };
}

const ENVELOPE_BYTES = JSON.stringify(nested(0)).length - 1;

function parseChange<M>(value: unknown, maxBytes: number): Change<M> | undefined {
  if (!Array.isArray(value) || value.length !== 3) return undefined;
  const [group, key, entry] = value as unknown[];
  if (typeof group !== "string" || typeof key !== "string") return undefined;
  if (entry === null) return [group, key, null];
  if (typeof entry !== "object") return undefined;
  const { meta, since, at } = entry as Record<string, unknown>;
  if (!isTime(since) || !isTime(at)) return undefined;
  try {
    return [group, key, { meta: copyMeta([group, key, meta as M], maxBytes), since, at }];
  } catch {
    return undefined;
  }
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= MAX_TIME;
}
