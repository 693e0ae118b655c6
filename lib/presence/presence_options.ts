import type { Clock, LayerMessage, Log } from "../scope.ts";

/** What a group is told when somebody comes, goes, or changes. */
export interface PresenceMessages<M> {
  joined(meta: M): LayerMessage;
  left(meta: M): LayerMessage;
  /** Something else is known of somebody who is there. Nobody is told where it is left out. */
  updated?(meta: M): LayerMessage;
}

/** Options of {@linkcode Presence}. */
export interface PresenceOptions {
  /**
   * How long somebody whose last connection broke has to come back, in milliseconds: over a reload of
   * the page. Who closed it, or was shown out, leaves at once. @default {2_000}
   */
  readonly leaveDelayMs?: number;
  /** How often processes say that they are there, in milliseconds. @default {2_000} */
  readonly beatMs?: number;
  /** How long a process may be silent before its people are gone, in milliseconds. @default {6_000} */
  readonly silentMs?: number;
  /** How long the first `enter()` waits for what other processes know, in milliseconds. @default {500} */
  readonly syncTimeoutMs?: number;
  /** The group in which processes talk; those with the same one share their people. @default {"presence"} */
  readonly controlGroup?: string;
  /**
   * Largest entry: group, key and `meta` as JSON, in bytes of UTF-8; the same on all processes, which
   * drop larger ones. @default {16_384}
   */
  readonly maxEntryBytes?: number;
  readonly clock?: Clock;
  readonly log?: Pick<Log, "warn">;
}
