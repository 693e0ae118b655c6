import { type LoadOptions, provideGenerator, runLoad } from "../harness/servers/generator.ts";
import type { Lab } from "../harness/lab.ts";
import { toMeasure } from "../harness/load_contest.ts";
import { type PeerName, providePeer } from "../harness/peers.ts";
import type { Contest, Measure, Question } from "../harness/question.ts";
import { ServerProcess } from "../harness/servers/server_process.ts";

const SHARES = [10, 25, 50, 75, 90, 150, 250, 400, 600];
const SIZES = [1_000, 10_000];
const PUBLISHERS = 1_000;

/** How long does a message to a group take when publishers are independent of each other? */
const batching: Question = {
  title: "Write batching",
  about:
    "1,000 of the readers publish at random times (Poisson arrivals, open loop), and latency " +
    "counts from the due time. 100 % is the rate at which bare Deno publishes with one message in " +
    "flight, when it writes each message to each reader. Sluice batches the frames of one turn of the " +
    "event loop.",
  isQuick: false,
  contests: (lab) => Promise.all(SIZES.map((readers) => contest(lab, readers))),
};

export default batching;

async function contest(lab: Lab, readers: number): Promise<Contest> {
  const generator = await provideGenerator(lab.note);
  let capacity: Promise<number> | undefined;
  const measure = async (peer: PeerName, share: number) => {
    const rate = share / 100 * await (capacity ??= capacityFor(lab, generator, readers));
    return await latency(lab, generator, peer, { connections: readers, rate });
  };
  const contestant = (name: PeerName, share: number) => ({
    name: `${share} %: ${name}`,
    isSluice: name === "Sluice",
    measure: () => measure(name, share),
  });
  return {
    id: `batching_${readers}`,
    title: `Latency of random publishes to ${readers.toLocaleString("en")} readers`,
    unit: "ms, p99",
    better: "less",
    baseline: "10 %: bare Deno",
    contestants: SHARES.flatMap((share) => [
      ...share <= 100 ? [contestant("bare Deno", share)] : [],
      contestant("Sluice", share),
    ]),
    absent: [],
  };
}

/** Returns how many messages a second bare Deno publishes with one in flight. */
async function capacityFor(lab: Lab, generator: string, readers: number): Promise<number> {
  const { rate } = await load(lab, generator, "bare Deno", { connections: readers });
  return rate / readers;
}

async function latency(
  lab: Lab,
  generator: string,
  peer: PeerName,
  options: LoadOptions,
): Promise<Measure> {
  const result = await load(lab, generator, peer, {
    ...options,
    in_flight: 8,
    publishers: PUBLISHERS,
    arrivals: "poisson",
  });
  if (result.lost > 0) throw new Error(`${result.lost} messages did not come back within 2 s`);
  const { p50, p99, busy, cpu } = toMeasure(result) as Required<Measure>;
  return { value: p99, p50, p99, busy, cpu };
}

async function load(lab: Lab, generator: string, name: PeerName, options: LoadOptions) {
  const { load, ...peer } = await providePeer(name, ["fan-out"], lab);
  await using server = await ServerProcess.start(peer);
  const place = { port: server.port, pid: server.pid, seconds: lab.seconds, warmup: 2 };
  return await runLoad(generator, "fan_out", { ...load, ...place, ...options });
}
