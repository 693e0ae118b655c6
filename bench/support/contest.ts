import { median, round } from "./stats.ts";

/** A server to be measured. */
export interface Peer {
  readonly name: string;
  /** The command that starts it; it prints `listening PORT`. */
  readonly command: readonly string[];
  /** What the load is told beside the question's own options. */
  readonly load?: Readonly<Record<string, unknown>>;
}

/** What is asked of every peer. */
export interface Question {
  readonly title: string;
  /** What one unit of the rate is: `messages`, `deliveries`. */
  readonly unit: string;
  /** Options of the load: see `generator.mjs`. */
  readonly load: Readonly<Record<string, unknown>>;
  readonly peers: readonly Peer[];
  /** The peer that the ratios are to. */
  readonly baseline: string;
}

/** One measurement. */
export interface Measure {
  readonly rate: number;
  readonly p50: number | null;
  readonly p99: number | null;
  /** How busy the load was, 0 to 1: near 1 it is the bottleneck. */
  readonly busy: number;
  /** Processor seconds of the server for a million units. */
  readonly cpuPerMillion: number;
}

/** How often, and how long. */
export interface Effort {
  /** @default {5} */
  readonly rounds?: number;
  /** Seconds for each measurement. @default {3} */
  readonly seconds?: number;
}

/**
 * Measures peers in turn, round after round, so that what disturbs one disturbs all; prints a table of
 * medians with their ranges, and the medians of the ratios round by round.
 *
 * Server and load run on a processor of their own each, where there are two and `taskset`.
 */
export async function contest(
  question: Question,
  effort: Effort = {},
): Promise<Map<string, Measure[]>> {
  const { rounds = 5, seconds = 3 } = effort;
  const measures = new Map<string, Measure[]>(question.peers.map(({ name }) => [name, []]));
  for (let index = 0; index < rounds; index++) {
    for (const peer of question.peers) {
      measures.get(peer.name)!.push(await measure(peer, { ...question.load, seconds }));
    }
  }
  report(question, measures);
  return measures;
}

async function measure(peer: Peer, load: Record<string, unknown>): Promise<Measure> {
  const server = start(pinned(0, peer.command));
  try {
    const port = await server.port;
    const options = { ...load, ...peer.load, port };
    const cpuBefore = cpuSeconds(server.child.pid);
    const output = await new Deno.Command("taskset", {
      args: [
        "-c",
        "1",
        "node",
        new URL("generator.mjs", import.meta.url).pathname,
        JSON.stringify(options),
      ],
      stderr: "inherit",
    }).output();
    const cpu = cpuSeconds(server.child.pid) - cpuBefore;
    const result = JSON.parse(new TextDecoder().decode(output.stdout));
    const units = result.rate * (Number(load.seconds) + 0.7);
    return { ...result, cpuPerMillion: cpu / units * 1e6 };
  } finally {
    server.child.kill("SIGKILL");
    await server.child.status;
  }
}

function pinned(core: number, command: readonly string[]): readonly string[] {
  return ["taskset", "-c", String(core), ...command];
}

function start(command: readonly string[]): { child: Deno.ChildProcess; port: Promise<number> } {
  const [program, ...args] = command;
  const child = new Deno.Command(program!, {
    args,
    stdout: "piped",
    stderr: "inherit",
    stdin: "null",
  })
    .spawn();
  return { child, port: readPort(child) };
}

async function readPort(child: Deno.ChildProcess): Promise<number> {
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const [, port] = /listening (\d+)/.exec(text) ?? [];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`The server ended before it listened: ${text}`);
}

/** User and system time of a process, in seconds (Linux: fields 14 and 15 of its stat, in 1/100 s). */
function cpuSeconds(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function report({ title, unit, baseline }: Question, measures: Map<string, Measure[]>): void {
  const base = measures.get(baseline)!;
  console.log(`\n${title}\n`);
  console.log(
    `| peer | × ${baseline} | ${unit}/s (range) | p50 ms | p99 ms | CPU-s per million | load busy |`,
  );
  console.log("| --- | --- | --- | --- | --- | --- | --- |");
  for (const [name, all] of measures) {
    const of = (pick: (measure: Measure) => number) => median(all.map(pick));
    const rates = all.map(({ rate }) => rate);
    const ratio = median(all.map(({ rate }, index) => rate / base[index]!.rate));
    console.log(`| ${
      [
        name,
        ratio.toFixed(2),
        `${round(of((m) => m.rate))} (${round(Math.min(...rates))}–${round(Math.max(...rates))})`,
        all[0]!.p50 === null ? "" : round(of((m) => m.p50!)),
        all[0]!.p99 === null ? "" : round(of((m) => m.p99!)),
        round(of((m) => m.cpuPerMillion)),
        of((m) => m.busy).toFixed(2),
      ].join(" | ")
    } |`);
  }
}
