import type { LayerMessage } from "../core/consumer.ts";

/** Describes the changes that processes exchange: each changes an entry of the sender's own. */
export interface Changes<C> {
  /** Reads a change; undefined if it is invalid. Data from a layer may be anything. */
  parse(value: unknown): C | undefined;
  /** Returns the key of the changed entry. */
  keyOf(change: C): string;
  /** Returns whether the change removes the entry. */
  isGone(change: C): boolean;
  /** Returns the change that removes the entry. */
  gone(change: C): C;
}

/**
 * A message between processes. `from` is the channel of the sender and identifies the process; its
 * state has a `version`, a number that grows by one with every `diff`.
 */
export type SyncMessage<C> =
  /** A heartbeat, with the version of the sender's state. */
  | { readonly kind: "beat"; readonly from: string; readonly version: number }
  /** Changes that led to this version of the sender's state. */
  | {
    readonly kind: "diff";
    readonly from: string;
    readonly version: number;
    readonly changes: readonly C[];
  }
  /** Asks for the receiver's state. */
  | { readonly kind: "ask"; readonly from: string }
  /** The sender's whole state, in parts from 0 to `parts` - 1. */
  | {
    readonly kind: "state";
    readonly from: string;
    readonly version: number;
    /** Identifies an answer of the sender, so that parts of two answers are not mixed. */
    readonly answer: number;
    readonly part: number;
    readonly parts: number;
    readonly changes: readonly C[];
  }
  /** The sender stops. */
  | { readonly kind: "bye"; readonly from: string };

/** Maximum length of a process name, in characters. */
const MAX_FROM_LENGTH = 200;

/** Maximum number of parts of a state. */
const MAX_PARTS = 10_000;

/**
 * Reads a message of the layer; undefined if it is not a {@linkcode SyncMessage}. For a change that
 * cannot be read, `malformed` is called; the rest of the message is used.
 */
export function parseSyncMessage<C>(
  message: LayerMessage,
  type: string,
  { parse, malformed }: Pick<Changes<C>, "parse"> & { malformed(): void },
): SyncMessage<C> | undefined {
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
