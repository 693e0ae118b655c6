import type { ContestResult } from "../../bench/harness/report/result.ts";

/** A contest of three rounds, with Sluice at 90, 110 and 120 % of bare Deno. */
export function contestResult(changes: Partial<ContestResult> = {}): ContestResult {
  return {
    id: "echo",
    title: "Echo",
    unit: "messages/s",
    better: "more",
    baseline: "bare Deno",
    contestants: [
      { name: "bare Deno", rounds: [1000, 2000, 500].map((value) => ({ value, cpu: 10 })) },
      { name: "Sluice", rounds: [900, 2200, 600].map((value) => ({ value, cpu: 11, busy: 0.5 })) },
    ],
    absent: [],
    ...changes,
  };
}
