import type { Lab } from "../harness/lab.ts";
import { type Entrant, gather } from "../harness/load_contest.ts";
import type { Contestant, Measure, Question } from "../harness/question.ts";
import { ServerProcess, type ServerSpec } from "../harness/servers/server_process.ts";
import { appServer, buildApp } from "../harness/servers/app_server.ts";

/** How long does it take from the command to the first connection? */
const startUp: Question = {
  title: "Start-up",
  about:
    "Time from starting the process until it listens. The app is complete: pages, sign-in, database " +
    "and socket gate, built beforehand.",
  isQuick: true,
  async contests(lab) {
    const head = {
      id: "start_up",
      title: "Start-up: from the command until it listens",
      unit: "ms",
      better: "less",
      baseline: "bare Deno",
    } as const;
    const names = ["bare Deno", "Sluice", "Hono", "ws", "Socket.IO", "Bun"] as const;
    const entrants = names.map((name): Entrant => [name, ["echo"]]);
    const contest = await gather(head, entrants, lab, (peer) => () => measure(peer));
    return [{ ...contest, contestants: [...contest.contestants, await app(lab)] }];
  },
};

export default startUp;

async function app(lab: Lab): Promise<Contestant> {
  await buildApp(lab);
  const measureApp = async () => measure(await appServer(lab));
  return { name: "Sluice, the app", isSluice: true, measure: measureApp };
}

async function measure(spec: ServerSpec): Promise<Measure> {
  const since = performance.now();
  await using _server = await ServerProcess.start(spec);
  return { value: performance.now() - since };
}
