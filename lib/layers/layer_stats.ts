/** Why a message was not delivered: see `docs/layer_spec.md`, section 5. */
export type DropReason = "full" | "expired" | "nobody" | "gap" | "limit" | "malformed";

/** The message counts of a layer in this process. */
export interface LayerStats {
  /** Channels in this process. */
  readonly channels: number;
  /** Groups with members in this process. */
  readonly groups: number;
  /** Approximate number of characters in messages that wait in this process. */
  readonly waitingSize: number;
  /** Successful calls of `send()` and `groupSend()`. */
  readonly sent: number;
  /** Messages that a mailbox or a reader took, counted per member of a group. */
  readonly delivered: number;
  /** Messages that had to wait for a reader, counted per member of a group. */
  readonly queued: number;
  /** Messages that were not delivered, by reason. */
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** How often this process was disconnected and may have missed messages. */
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
