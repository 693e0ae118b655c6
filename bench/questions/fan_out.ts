import type { Question, Target } from "../harness/question.ts";
import { type Entrant, loadContest } from "../harness/load_contest.ts";

const ENTRANTS = [
  "bare Deno",
  "Sluice",
  "Hono",
  "ws",
  "Sluice on Node",
  "Socket.IO",
  "Bun",
  "Sluice on Bun",
] as const;

/** What does it cost to send one message to many readers? */
const fanOut: Question = {
  title: "Fan-out",
  about:
    "Some readers of a group publish JSON of about 100 bytes, and publish again as soon as they " +
    "receive their own message. A delivery is one message received by one reader. `ws` and Sluice send " +
    "to each member; Bun has publish and subscribe of its own.",
  isQuick: true,
  contests: (lab) =>
    Promise.all(
      [[1_000, 1], [1_000, 8], [10_000, 1], [10_000, 8]].map(([readers = 0, inFlight = 0]) =>
        loadContest(lab, {
          id: `fan_out_${readers}_${inFlight}`,
          title: `Fan-out to ${readers.toLocaleString("en")}, ${inFlight} in flight`,
          unit: "deliveries/s",
          better: "more",
          baseline: "bare Deno",
          targets: readers === 1_000 ? targets(inFlight) : [],
        }, {
          kind: "fan_out",
          options: { connections: readers, in_flight: inFlight },
          entrants: ENTRANTS.map((name): Entrant => [name, ["fan-out"]]),
        })
      ),
    ),
};

export default fanOut;

function targets(inFlight: number): Target[] {
  const cpu: Target = { of: "Sluice", against: "bare Deno", ratio: 1.05, figure: "cpu" };
  const runtimes: Target[] = [
    { of: "Sluice on Node", against: "ws", ratio: inFlight > 1 ? 1 : 0.9 },
    { of: "Sluice on Bun", against: "Bun", ratio: inFlight > 1 ? 1 : 0.9 },
  ];
  if (inFlight === 1) {
    return [
      { of: "Sluice", against: "bare Deno", ratio: 0.95 },
      { of: "Sluice", against: "Socket.IO", ratio: 1.6 },
      cpu,
      ...runtimes,
    ];
  }
  return [
    { of: "Sluice", against: "bare Deno", ratio: 4 },
    { of: "Sluice", against: "Bun", ratio: 0.5 },
    cpu,
    ...runtimes,
  ];
}
