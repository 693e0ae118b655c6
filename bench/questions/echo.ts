import type { Question } from "../harness/question.ts";
import { loadContest } from "../harness/load_contest.ts";

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

/** What does an echoed message cost? */
const echo: Question = {
  title: "Echo",
  about:
    "100 connections send JSON of about 100 bytes; the server parses it, validates it, and replies " +
    "with JSON. Closed loop: a connection sends the next message when it gets a reply. Sluice runs on " +
    "Deno, on Node, beside `ws`, and on Bun, beside Bun's own WebSockets.",
  isQuick: true,
  contests: (lab) =>
    Promise.all([1, 8].map((inFlight) =>
      loadContest(lab, {
        id: inFlight === 1 ? "echo" : `echo_${inFlight}`,
        title: `Echo, 100 connections, ${inFlight} in flight on each`,
        unit: "messages/s",
        better: "more",
        baseline: "bare Deno",
        targets: [
          { of: "Sluice", against: "bare Deno", ratio: 0.95 },
          { of: "Sluice", against: "bare Deno", ratio: 1.05, figure: "cpu" },
          { of: "Sluice on Node", against: "ws", ratio: inFlight > 1 ? 1 : 0.9 },
          { of: "Sluice on Bun", against: "Bun", ratio: inFlight > 1 ? 1 : 0.9 },
          ...inFlight > 1 ? [] : [
            { of: "Sluice", against: "Socket.IO", ratio: 1.9 },
            { of: "Sluice", against: "ws", ratio: 1.25 },
          ],
        ],
      }, {
        kind: "echo",
        options: { connections: 100, in_flight: inFlight },
        entrants: ENTRANTS.map((name) => [name, ["echo"]]),
      })
    )),
};

export default echo;
