import type { Figures, Metric } from "./metrics.ts";

/** A message from a serving process to its parent. */
export type ToParent =
  | { readonly type: "listens" }
  /** Requests the metrics of all processes. */
  | { readonly type: "collect" }
  /** Its own metrics, as requested. */
  | { readonly type: "sampled"; readonly metrics: readonly Metric[] };

/** A message from the parent to a serving process. */
export type ToChild =
  | { readonly type: "stop"; readonly signal: string }
  /** Requests its own metrics. */
  | { readonly type: "sample" }
  /** The metrics of all processes, as requested. */
  | { readonly type: "collected"; readonly processes: readonly Figures[] };
