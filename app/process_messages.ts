import type { Figures, Metric } from "./metrics.ts";

/** What a process that serves beside others tells the one that started it. */
export type ToParent =
  | { readonly type: "listens" }
  /** Asks for the figures of all processes. */
  | { readonly type: "collect" }
  /** Its own figures, which it was asked for. */
  | { readonly type: "sampled"; readonly metrics: readonly Metric[] };

/** What the process that started it tells it. */
export type ToChild =
  | { readonly type: "stop"; readonly signal: string }
  /** Asks for its own figures. */
  | { readonly type: "sample" }
  /** The figures of all processes, which it asked for. */
  | { readonly type: "collected"; readonly processes: readonly Figures[] };
