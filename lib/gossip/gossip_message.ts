import type { LayerMessage } from "../scope.ts";

/** What processes tell each other about: entries of a table, each process's own. */
export interface Changes<C> {
  /** Whether it is a change; what comes from a layer may be anything. */
  isChange(value: unknown): value is C;
  /** Names the entry that changes. */
  keyOf(change: C): string;
  /** Whether the entry is gone by it. */
  isGone(change: C): boolean;
  /** The change by which the entry is gone. */
  gone(change: C): C;
}

/**
 * What processes tell each other. `from` is the channel of the teller, and names the process; its
 * state has a `version`, a number that grows by one with every `diff`.
 */
export type GossipMessage<C> =
  /** I am here, and my state has this version. */
  | { readonly kind: "beat"; readonly from: string; readonly version: number }
  /** My state changed to this version. */
  | {
    readonly kind: "diff";
    readonly from: string;
    readonly version: number;
    readonly changes: readonly C[];
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
    readonly changes: readonly C[];
  }
  /** I am going. */
  | { readonly kind: "bye"; readonly from: string };

/** Reads a message of the layer; nothing, where it is none of these. */
export function parseGossip<C>(
  message: LayerMessage,
  type: string,
  { isChange }: Pick<Changes<C>, "isChange">,
): GossipMessage<C> | undefined {
  const data = message.data;
  if (message.type !== type || typeof data !== "object" || data === null) return undefined;
  const { kind, from, version, part, parts, changes } = data as Record<string, unknown>;
  if (typeof from !== "string") return undefined;
  const isVersioned = Number.isSafeInteger(version);
  const hasChanges = isVersioned && Array.isArray(changes) && changes.every(isChange);
  const isPart = Number.isSafeInteger(part) && Number.isSafeInteger(parts);
  const isValid = kind === "ask" || kind === "bye" || (kind === "beat" && isVersioned) ||
    (kind === "diff" && hasChanges) || (kind === "state" && hasChanges && isPart);
  return isValid ? data as GossipMessage<C> : undefined;
}
