import { type LoadResult, provideGenerator, runLoad } from "../harness/servers/generator.ts";
import { type Entrant, gather } from "../harness/load_contest.ts";
import type { Question } from "../harness/question.ts";
import { ServerProcess } from "../harness/servers/server_process.ts";

const TEXT_BYTES = 32_000;
const MESSAGES = 4_096;
const SAMPLE_MS = 20;

/** The default of `SEND_BUFFER_BYTES`, plus an allowance for other growth of the process. */
const LIMIT_MIB = 1 + 16;

/** What does a reader that stops reading cost? */
const stalledReader: Question = {
  title: "One reader that stops",
  about:
    "4,096 messages of 32 KB (125 MiB) are published, one at a time, to ten readers and one that never " +
    "reads. Measured is the peak growth of the server's resident memory, after the same number of " +
    "messages without that reader. Sluice's slow-reader policy applies at 1 MiB per socket; latencies " +
    "are those of the other readers.",
  isQuick: false,
  async contests(lab) {
    const generator = await provideGenerator(lab.note);
    const names = ["bare Deno", "Sluice", "ws", "Socket.IO", "Bun"] as const;
    const head = {
      id: "stalled_reader",
      title: "Memory while 125 MiB are published past a reader that has stopped",
      unit: "MiB more",
      better: "less",
      baseline: "bare Deno",
      limits: [{ of: "Sluice", limit: LIMIT_MIB }],
    } as const;
    const entrants = names.map((name): Entrant => [name, ["fan-out"]]);
    const contest = await gather(head, entrants, lab, ({ load, ...peer }) => async () => {
      await using server = await ServerProcess.start(peer);
      const place = { ...load, port: server.port, pid: server.pid, text_bytes: TEXT_BYTES };
      const publish = (messages: number, stalled: number) =>
        runLoad(generator, "fan_out", { ...place, messages, stalled, connections: 10 + stalled });
      await publish(MESSAGES, 0);
      const before = server.rss();
      const [result, highest] = await watchMemory(server, publish(MESSAGES, 1));
      return {
        value: (highest - before) / 2 ** 20,
        p50: result.p50 / 1000,
        p99: result.p99 / 1000,
      };
    });
    return [contest];
  },
};

export default stalledReader;

/** Returns the result of the load, and the peak memory of the server during it, in bytes. */
async function watchMemory(
  server: ServerProcess,
  load: Promise<LoadResult>,
): Promise<[LoadResult, number]> {
  let highest = 0;
  const sample = setInterval(() => highest = Math.max(highest, server.rss()), SAMPLE_MS);
  try {
    return [await load, highest];
  } finally {
    clearInterval(sample);
  }
}
