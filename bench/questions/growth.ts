import { readFileSync } from "node:fs";
import { provideGenerator, runLoad } from "../harness/servers/generator.ts";
import { HeldSockets } from "../harness/servers/held_sockets.ts";
import type { Lab } from "../harness/lab.ts";
import { toMeasure } from "../harness/load_contest.ts";
import { type PeerName, providePeer } from "../harness/peers.ts";
import type { Contest, ContestHead, Measure, Question } from "../harness/question.ts";
import { seedSessions } from "../harness/servers/seeded_sessions.ts";
import { ServerProcess } from "../harness/servers/server_process.ts";

const PEOPLE = 10_000;
const SETTLE_MS = 2_000;

/** Open files that a process needs for other purposes. */
const OTHER_FILES = 500;

/** The numbers of sockets in one process, as far as its limit of open files allows. */
const SIZES = [1_000, 5_000, 10_000, 19_000, 50_000].filter((size) => size <= maxSockets());

/** How do memory and the cost of a message change with the number of sockets in one process? */
const growth: Question = {
  title: "Growth in one process",
  about:
    "One process holds idle sockets of 10,000 signed-in users: as many as its limit of open files " +
    "allows, and at most 50,000. Memory is the growth of the process per socket. Next to the same " +
    "number of idle sockets without sign-in, 100 connections send and receive their own messages.",
  isQuick: false,
  async contests(lab) {
    const generator = await provideGenerator(lab.note);
    const sessions = await seedSessions(lab, PEOPLE);
    const contest = (head: ContestHead, measure: (size: number) => Promise<Measure>): Contest => ({
      ...head,
      contestants: SIZES.map((size) => ({
        name: nameOf(size),
        isSluice: true,
        measure: () => measure(size),
      })),
      absent: [],
    });
    return [
      contest(
        head("growth_memory", "Memory of an idle socket, by how many there are", "KiB per socket"),
        (size) => memory(lab, generator, { ...sessions, size }),
      ),
      growingEcho(lab, generator),
    ];
  },
};

export default growth;

/** The runtime pings idle sockets, so bare Deno is measured with the same number. */
function growingEcho(lab: Lab, generator: string): Contest {
  const [least, most] = [SIZES[0]!, SIZES.at(-1)!];
  const bare = (size: number) => `bare Deno, ${nameOf(size)}`;
  const asked = (name: string, peer: PeerName, size: number) => ({
    name,
    isSluice: peer === "Sluice",
    measure: () => echo(lab, generator, { peer, size }),
  });
  return {
    ...head("growth_echo", "Cost of an echo beside idle sockets", "µs of processor per message"),
    targets: [{ of: nameOf(most), against: nameOf(least), ratio: 1.1 }],
    contestants: [
      ...SIZES.map((size) => asked(nameOf(size), "Sluice", size)),
      ...[least, most].map((size) => asked(bare(size), "bare Deno", size)),
    ],
    absent: [],
  };
}

function head(id: string, title: string, unit: string): ContestHead {
  return { id, title, unit, better: "less", baseline: nameOf(SIZES[0]!) };
}

function nameOf(size: number): string {
  return `${size.toLocaleString("en")} sockets`;
}

function maxSockets(): number {
  const [, files] =
    /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  return files === undefined ? Infinity : Number(files) - OTHER_FILES;
}

async function memory(
  lab: Lab,
  generator: string,
  { folder, cookies, size }: { folder: string; cookies: string; size: number },
): Promise<Measure> {
  const { load, ...peer } = await providePeer("Sluice, signed in", [`${folder}/kv.sqlite3`], lab);
  await using server = await ServerProcess.start(peer);
  const options = { ...load, port: server.port, cookies };
  const before = server.rss();
  await using _sockets = await HeldSockets.open(generator, { ...options, connections: size });
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return { value: (server.rss() - before) / size / 1024 };
}

async function echo(
  lab: Lab,
  generator: string,
  { peer: name, size }: { peer: PeerName; size: number },
): Promise<Measure> {
  const { load, ...peer } = await providePeer(name, ["echo"], lab);
  await using server = await ServerProcess.start(peer);
  const options = { ...load, port: server.port };
  await using _sockets = await HeldSockets.open(generator, { ...options, connections: size });
  const place = { pid: server.pid, connections: 100, in_flight: 1, seconds: lab.seconds };
  const measure = toMeasure(await runLoad(generator, "echo", { ...options, ...place }));
  return { value: measure.cpu!, busy: measure.busy };
}
