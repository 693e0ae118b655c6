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
  /** Messages that were not delivered, by reason: see `docs/layer_spec.md`, section 5. */
  readonly dropped: Readonly<
    Record<"full" | "expired" | "nobody" | "gap" | "limit" | "malformed", number>
  >;
  /** How often this process was disconnected and may have missed messages. */
  readonly gaps: number;
}

/** Why a message was not delivered. */
export type DropReason = keyof LayerStats["dropped"];

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
