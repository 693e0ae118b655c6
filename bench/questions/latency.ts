import type { LoadResult } from "../harness/generator.ts";
import { type Entrant, loadContest, toMeasure } from "../harness/load_contest.ts";
import type { Measure, Question } from "../harness/question.ts";

const NAMES = ["bare Deno", "Sluice", "Hono", "ws", "Socket.IO", "Bun"] as const;

/** How long does a message take at a rate that everybody can bear? */
const latency: Question = {
  title: "Latency at a fixed rate",
  about:
    "Messages are due at a fixed rate, whatever has come back by then (open loop), and their latency " +
    "counts from when they were due: a server that stops for a moment is late for all that were due " +
    "meanwhile. A lone message is the only one under way of a group with one reader: nothing gathers " +
    "with it, and it must not wait for company. A closed loop of two seconds warms the servers up: a " +
    "few hundred messages are not enough for a compiler.",
  isQuick: true,
  contests: (lab) =>
    Promise.all([
      loadContest(lab, {
        ...head("latency_echo", "Latency of echo, 10,000 messages/s over 100 connections", "p99"),
        targets: [{ of: "Sluice", against: "Socket.IO", ratio: 1 }],
      }, {
        kind: "echo",
        options: { connections: 100, rate: 10_000, warmup: 2 },
        entrants: entrants("echo"),
        read: (result) => ofLatency(result, "p99"),
      }),
      loadContest(
        lab,
        head("latency_fan_out", "Latency of 20 publishes/s to 1,000 readers", "p99"),
        {
          kind: "fan_out",
          options: { connections: 1_000, rate: 20, warmup: 2 },
          entrants: entrants("fan-out"),
          read: (result) => ofLatency(result, "p99"),
        },
      ),
      loadContest(lab, head("latency_lone", "Latency of a lone message, 200/s", "p50"), {
        kind: "fan_out",
        options: { connections: 1, rate: 200, warmup: 2 },
        entrants: entrants("fan-out"),
        read: (result) => ofLatency(result, "p50"),
      }),
    ]),
};

export default latency;

function head(id: string, title: string, figure: "p50" | "p99") {
  return { id, title, unit: `ms, ${figure}`, better: "less", baseline: "bare Deno" } as const;
}

function entrants(mode: string): Entrant[] {
  return NAMES.map((name) => [name, [mode]]);
}

function ofLatency(result: LoadResult, figure: "p50" | "p99"): Measure {
  if (result.lost > 0) throw new Error(`${result.lost} messages did not come back within 2 s`);
  const { p50, p99, busy, cpu } = toMeasure(result) as Required<Measure>;
  return { value: figure === "p50" ? p50 : p99, p50, p99, busy, cpu };
}
