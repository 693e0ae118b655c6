import {
  type LoadOptions,
  type LoadResult,
  provideGenerator,
  runLoad,
} from "./servers/generator.ts";
import type { Lab } from "./lab.ts";
import { type Peer, type PeerName, providePeer } from "./peers.ts";
import type { Absent, Contest, Contestant, ContestHead, Measure } from "./question.ts";
import { ServerProcess } from "./servers/server_process.ts";
import { Unavailable } from "./unavailable.ts";

/** A peer in a contest: its name, the arguments of its program, and its own load options. */
export type Entrant = readonly [name: PeerName, args: readonly string[], load?: LoadOptions];

/** A load, and the peers that it is applied to. */
export interface ContestLoad {
  readonly kind: string;
  readonly options: LoadOptions;
  readonly entrants: readonly Entrant[];
  /** Extracts the measurement from the result. @default {toMeasure} */
  readonly read?: (result: LoadResult) => Measure;
}

/** Prepares a contest of servers under the same load. */
export async function loadContest(
  lab: Lab,
  head: ContestHead,
  { kind, options, entrants, read = toMeasure }: ContestLoad,
): Promise<Contest> {
  const generator = await provideGenerator(lab.note);
  return await gather(head, entrants, lab, (peer, own) => async () => {
    await using server = await ServerProcess.start(peer);
    const place = { port: server.port, pid: server.pid, seconds: lab.seconds };
    const all = { ...options, ...peer.load, ...place, ...own };
    return read(await runLoad(generator, kind, all));
  });
}

/** Creates contestants from the available peers, and lists the others as absent. */
export async function gather(
  head: ContestHead,
  entrants: readonly Entrant[],
  lab: Lab,
  measureOf: (peer: Peer, load: LoadOptions) => () => Promise<Measure>,
): Promise<Contest> {
  const contestants: Contestant[] = [];
  const absent: Absent[] = [];
  for (const [name, args, load = {}] of entrants) {
    try {
      const peer = await providePeer(name, args, lab);
      contestants.push({ name, isSluice: peer.isSluice, measure: measureOf(peer, load) });
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      absent.push({ name, reason: error.message });
    }
  }
  return { ...head, contestants, absent };
}

/** Converts the output of the load generator to a measurement. */
export function toMeasure(result: LoadResult): Measure {
  const { rate, count, p50, p99, busy, serverCpu } = result;
  if (count === 0) throw new Error("Nothing came back");
  return {
    value: rate,
    busy,
    cpu: serverCpu / count * 1e6,
    ...(p50 >= 0 ? { p50: p50 / 1000, p99: p99 / 1000 } : {}),
  };
}
