import type { ChannelLayer } from "./channel_layer.ts";

/** @internal The message counts of a layer in this process. */
export type LayerStats = ChannelLayer["stats"];

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
