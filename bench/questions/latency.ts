import type { LoadResult } from "../harness/servers/generator.ts";
import { type Entrant, loadContest, toMeasure } from "../harness/load_contest.ts";
import type { Measure, Question } from "../harness/question.ts";

const NAMES = ["bare Deno", "Sluice", "Hono", "ws", "Socket.IO", "Bun"] as const;

/** How long does a message take at a rate that all peers can sustain? */
const latency: Question = {
  title: "Latency at a fixed rate",
  about:
    "Messages are due at a fixed rate whatever has been received (open loop), and latency counts from " +
    "the due time: a server that pauses is late for all messages due during the pause. A lone message " +
    "is the only one in flight, in a group with one reader: it must not wait to be batched with " +
    "others. A closed loop of two seconds warms up the servers, because a few hundred messages are " +
    "too few for their compilers.",
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
