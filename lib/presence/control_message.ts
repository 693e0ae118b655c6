import type { LayerMessage } from "../scope.ts";
import type { PresenceEntry } from "./state.ts";

/** What a process knows of a person in a group: nothing, where the person is not there any more. */
export type Change<M> = readonly [group: string, key: string, entry: PresenceEntry<M> | null];

/**
 * What processes tell each other. `from` is the channel of the teller, and names the process; its
 * state has a `version`, a number that grows by one with every `diff`.
 */
export type ControlMessage<M> =
  /** I am here, and my state has this version. */
  | { readonly kind: "beat"; readonly from: string; readonly version: number }
  /** My state changed to this version. */
  | {
    readonly kind: "diff";
    readonly from: string;
    readonly version: number;
    readonly changes: readonly Change<M>[];
  }
  /** Tell me your state. */
  | { readonly kind: "ask"; readonly from: string }
  /** My whole state, in parts from 0 to `parts` - 1. */
  | {
    readonly kind: "state";
    readonly from: string;
    readonly version: number;
    readonly part: number;
    readonly parts: number;
    readonly changes: readonly Change<M>[];
  }
  /** I am going. */
  | { readonly kind: "bye"; readonly from: string };

const TYPE = "presence";

/** Writes a message for the layer. */
export function toLayerMessage<M>(message: ControlMessage<M>): LayerMessage {
  return { type: TYPE, data: message };
}

/** Reads a message of the layer; nothing, where it is none of these. */
export function parseControlMessage<M>(message: LayerMessage): ControlMessage<M> | undefined {
  const data = message.data;
  if (message.type !== TYPE || typeof data !== "object" || data === null) return undefined;
  const { kind, from, version, part, parts, changes } = data as Record<string, unknown>;
  if (typeof from !== "string") return undefined;
  const isVersioned = Number.isSafeInteger(version);
  const hasChanges = isVersioned && Array.isArray(changes) && changes.every(isChange);
  const isPart = Number.isSafeInteger(part) && Number.isSafeInteger(parts);
  const isValid = kind === "ask" || kind === "bye" || (kind === "beat" && isVersioned) ||
    (kind === "diff" && hasChanges) || (kind === "state" && hasChanges && isPart);
  return isValid ? data as ControlMessage<M> : undefined;
}

function isChange(change: unknown): boolean {
  if (!Array.isArray(change) || change.length !== 3) return false;
  const [group, key, entry] = change as unknown[];
  if (typeof group !== "string" || typeof key !== "string") return false;
  if (entry === null) return true;
  if (typeof entry !== "object") return false;
  const { since, at } = entry as Record<string, unknown>;
  return Number.isFinite(since) && Number.isFinite(at);
}
