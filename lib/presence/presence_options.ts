import type { Clock } from "../core/clock.ts";
import type { LayerMessage } from "../core/consumer.ts";
import type { Log } from "../core/log.ts";

/** The messages that a group receives when a user joins, leaves, or changes. */
export interface PresenceMessages<M> {
  /** Creates the message that announces a user. */
  joined(meta: M): LayerMessage;
  /** Creates the message that a user has left. */
  left(meta: M): LayerMessage;
  /** The `meta` of a present user has changed. If omitted, no message is sent. */
  updated?(meta: M): LayerMessage;
}

/** Options of {@linkcode Presence}. */
export interface PresenceOptions {
  /**
   * How long a user has to reconnect after the last connection broke, in milliseconds; covers a page
   * reload. A user who closed the connection, or lost access, leaves at once. @default {2_000}
   */
  readonly leaveDelayMs?: number;
  /** Interval between the heartbeats of a process, in milliseconds. @default {2_000} */
  readonly heartbeatMs?: number;
  /** How long a process may be silent before its users are removed, in milliseconds. @default {6_000} */
  readonly timeoutMs?: number;
  /** How long the first `enter()` waits for the state of other processes, in milliseconds. @default {500} */
  readonly syncTimeoutMs?: number;
  /** The group for messages between processes; those in the same group share users. @default {"presence"} */
  readonly controlGroup?: string;
  /**
   * Largest entry: group, key and `meta` as JSON, in bytes of UTF-8. Use the same value on all processes:
   * each drops larger entries. @default {16_384}
   */
  readonly maxEntryBytes?: number;
  /** Times heartbeats and departures. */
  readonly clock?: Clock;
  /** Receives a warning for the first message that cannot be read. */
  readonly log?: Pick<Log, "warn">;
}

/** Larger entries would not fit into a message of the layer. */
const MAX_ENTRY_BYTES = 131_072;

/** @throws {RangeError} `maxEntryBytes` is not between 1 and 131072. */
export function checkEntryBytes(maxEntryBytes: number): void {
  if (maxEntryBytes >= 1 && maxEntryBytes <= MAX_ENTRY_BYTES) return;
  throw new RangeError(`Cannot use maxEntryBytes: ${maxEntryBytes}: 1 to ${MAX_ENTRY_BYTES}`);
}

/** The smallest difference between two times, in milliseconds. */
export const STEP_MS = 0.001;

/** Time limit for the message to the members in this process, in milliseconds. */
export const SEND_TIMEOUT_MS = 3_000;
