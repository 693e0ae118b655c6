import { type LoadResult, provideGenerator, runLoad } from "../harness/servers/generator.ts";
import type { Lab } from "../harness/lab.ts";
import { toMeasure } from "../harness/load_contest.ts";
import { providePeer } from "../harness/peers.ts";
import type { Absent, Contest, Contestant, ContestHead, Measure } from "../harness/question.ts";
import type { Question } from "../harness/question.ts";
import { findRedisProgram, RedisProcess } from "../harness/servers/redis_process.ts";
import { ServerProcess } from "../harness/servers/server_process.ts";
import { Unavailable } from "../harness/unavailable.ts";

const READERS = 1_000;
const PUBLISHERS = 8;

const TITLE = `1,000 readers on each process, ${PUBLISHERS} publishes in flight`;

/** Starts the server of a layer, and returns the layer's URL. */
type Backend = (stack: AsyncDisposableStack) => Promise<string>;

/** What does a group that spans processes cost? */
const layers: Question = {
  title: "Layers",
  about:
    "Fan-out in one process with the memory layer, and in two processes with Redis or one Deno KV " +
    "file: each process has 1,000 readers, and a message reaches all of them. With few processors, " +
    "the two processes share one, so deliveries per second of processor time are compared; the time " +
    "of Redis itself is not included.",
  isQuick: true,
  async contests(lab) {
    const generator = await provideGenerator(lab.note);
    const { backends, absent } = await findBackends(lab);
    const contest = (head: ContestHead, read: (result: LoadResult) => Measure): Contest => ({
      ...head,
      absent,
      contestants: backends.map(([name, processes, backend]) =>
        contestant(name, async () => read(await measure(lab, generator, processes, backend)))
      ),
    });
    const common = { better: "more", baseline: "memory" } as const;
    return [
      contest({
        ...common,
        id: "layers",
        title: `Deliveries in a second of a server's processor: ${TITLE}`,
        unit: "deliveries/CPU-s",
        targets: [{ of: "Redis, 2 processes", against: "memory", ratio: 0.8 }],
      }, (result) => ({ ...toMeasure(result), value: result.count / result.serverCpu })),
      contest({
        ...common,
        id: "layers_rate",
        title: `Deliveries of all processes together: ${TITLE}`,
        unit: "deliveries/s",
      }, toMeasure),
    ];
  },
};

export default layers;

function contestant(name: string, measure: () => Promise<Measure>): Contestant {
  return { name, isSluice: true, measure };
}

async function findBackends(
  lab: Lab,
): Promise<{ backends: [string, number, Backend][]; absent: Absent[] }> {
  const backends: [string, number, Backend][] = [
    ["memory", 1, () => Promise.resolve("memory:")],
    ["KV, 2 processes", 2, async () => `kv:${await Deno.makeTempDir({ dir: lab.scratch })}/kv`],
  ];
  try {
    const program = await findRedisProgram(lab.note);
    const backend: Backend = async (stack) => stack.use(await RedisProcess.start(program)).url;
    backends.push(["Redis, 1 process", 1, backend], ["Redis, 2 processes", 2, backend]);
    return { backends, absent: [] };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return { backends, absent: [{ name: "Redis", reason: error.message }] };
  }
}

async function measure(
  lab: Lab,
  generator: string,
  processes: number,
  backend: Backend,
): Promise<LoadResult> {
  await using stack = new AsyncDisposableStack();
  const { load, ...peer } = await providePeer("Sluice", ["fan-out", await backend(stack)], lab);
  const servers: ServerProcess[] = [];
  for (let turn = 0; turn < processes; turn++) {
    servers.push(stack.use(await ServerProcess.start(peer, turn)));
  }
  return await runLoad(generator, "fan_out", {
    ...load,
    port: servers.map(({ port }) => port).join(),
    pid: servers.map(({ pid }) => pid).join(),
    connections: READERS * processes,
    in_flight: PUBLISHERS,
    seconds: lab.seconds,
  });
}
