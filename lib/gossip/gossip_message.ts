import type { LayerMessage } from "../scope.ts";

/** What processes tell each other about: entries of a table, each process's own. */
export interface Changes<C> {
  /** Reads a change; undefined if it is none. What comes from a layer may be anything. */
  parse(value: unknown): C | undefined;
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
    /** Tells answers of one process apart: parts of two are not put together. */
    readonly answer: number;
    readonly part: number;
    readonly parts: number;
    readonly changes: readonly C[];
  }
  /** I am going. */
  | { readonly kind: "bye"; readonly from: string };

/** Longest name of a process, in characters. */
const MAX_FROM_LENGTH = 200;

/** Most parts of a state. */
const MAX_PARTS = 10_000;

/**
 * Reads a message of the layer; undefined if it is none of these. A change that cannot be read is left
 * out, and `malformed` is called: the rest of the message counts.
 */
export function parseGossip<C>(
  message: LayerMessage,
  type: string,
  { parse, malformed }: Pick<Changes<C>, "parse"> & { malformed(): void },
): GossipMessage<C> | undefined {
  const data = message.data;
  if (message.type !== type || typeof data !== "object" || data === null) return undefined;
  const { kind, from, version, answer = 0, part, parts, changes } = data as Record<string, unknown>;
  if (typeof from !== "string" || from === "" || from.length > MAX_FROM_LENGTH) return undefined;
  if (kind === "ask" || kind === "bye") return { kind, from };
  if (!isCount(version)) return undefined;
  if (kind === "beat") return { kind, from, version };
  if (!Array.isArray(changes)) return undefined;
  if (kind === "diff") return { kind, from, version, changes: readAll() };
  if (kind !== "state" || !isCount(answer)) return undefined;
  if (!isCount(part) || !isCount(parts) || part >= parts || parts > MAX_PARTS) return undefined;
  return { kind, from, version, answer, part, parts, changes: readAll() };

  function readAll(): C[] {
    return (changes as unknown[]).flatMap((value) => {
      const change = parse(value);
      if (change === undefined) malformed();
      return change === undefined ? [] : [change];
    });
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
