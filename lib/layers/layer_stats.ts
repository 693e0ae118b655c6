/** Why a message did not arrive: see `docs/layer_spec.md`, section 5. */
export type DropReason = "full" | "expired" | "nobody" | "gap" | "limit" | "malformed";

/** What went through a layer, in this process. */
export interface LayerStats {
  /** Channels that are known here, and groups that have members here. */
  readonly channels: number;
  readonly groups: number;
  /** About how many characters of messages wait here to be read. */
  readonly waitingSize: number;
  /** Calls of `send()` and `groupSend()` that succeeded. */
  readonly sent: number;
  /** Messages that a mailbox or a reader took; once for each member of a group. */
  readonly delivered: number;
  /** Messages that had to wait for a reader; once for each member of a group. */
  readonly queued: number;
  /** Messages that did not arrive. */
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Times in which this process was cut off. */
  readonly gaps: number;
}

/** Counts what {@linkcode LayerStats} reports. */
export class LayerCounters {
  sent = 0;
  delivered = 0;
  queued = 0;
  gaps = 0;
  readonly dropped: Record<DropReason, number> = {
    full: 0,
    expired: 0,
    nobody: 0,
    gap: 0,
    limit: 0,
    malformed: 0,
  };
}
