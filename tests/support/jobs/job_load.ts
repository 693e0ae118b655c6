import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type ChannelLayer, LayerError } from "@sluice/sluice/layers";

const SCRIPT = fileURLToPath(new URL("worker_process.ts", import.meta.url));

/** The settings that all workers of a run share. */
export interface WorkerSettings {
  /** The URL of a Redis, or the path of a database. */
  readonly address: string;
  readonly prefix: string;
  readonly leaseMs: number;
  readonly handlerMs: number;
}

/** A worker in a separate process, and the jobs it reported. */
export class WorkerProcess {
  readonly begun: number[] = [];
  readonly done: number[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<void>;

  constructor({ address, prefix, leaseMs, handlerMs }: WorkerSettings) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", SCRIPT, address, prefix, `${leaseMs}`, `${handlerMs}`],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#read = this.#readLines();
  }

  signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended.
    }
  }

  /** Resolves when the process has ended and all of its output was read. */
  async ended(): Promise<void> {
    await Promise.all([this.#child.status, this.#read]);
  }

  async #readLines(): Promise<void> {
    let text = "";
    for await (const chunk of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const lines = text.split("\n");
      text = lines.pop()!;
      for (const line of lines) {
        const [what, number] = line.split(" ");
        (what === "done" ? this.done : this.begun).push(Number(number));
      }
    }
  }
}

/** The outcome of numbered jobs. */
export interface JobReport {
  readonly missing: readonly number[];
  /** Jobs that were begun more than once. */
  readonly begunTwice: number;
  /** Jobs that were completed more than once. */
  readonly twice: number;
  /** Jobs that still wait in the channel. */
  readonly left: number;
  /** Jobs that became dead letters. */
  readonly dead: number;
}

/**
 * Sends the jobs `0` to `count - 1`, and retries each until the layer has taken it. Returns how many
 * jobs may have been sent twice, as a sender cannot know the outcome after `UNAVAILABLE`.
 */
export async function sendJobs(
  layer: ChannelLayer,
  count: number,
  perSecond: number,
): Promise<number> {
  const startedAt = performance.now();
  const unsure = new Set<number>();
  for (let number = 0; number < count; number++) {
    const dueMs = startedAt + number * 1_000 / perSecond - performance.now();
    if (dueMs > 1) await setTimeout(dueMs);
    while (true) {
      const refusal = await refused(layer, number);
      if (refusal === undefined) break;
      if (refusal === "UNAVAILABLE") unsure.add(number);
      await setTimeout(20);
    }
  }
  return unsure.size;
}

/** Sends a job. Returns the error code if the layer refused it. */
async function refused(layer: ChannelLayer, number: number): Promise<string | undefined> {
  try {
    await layer.send("jobs", { type: "job", data: number });
    return undefined;
  } catch (error) {
    if (error instanceof LayerError && error.code !== "CLOSED") return error.code;
    throw error;
  }
}

/** Waits until every job was handled, or `timeoutMs` have passed. */
export async function handled(
  workers: readonly WorkerProcess[],
  count: number,
  timeoutMs: number,
): Promise<void> {
  const until = performance.now() + timeoutMs;
  while (performance.now() < until && missing(workers, count).length > 0) await setTimeout(50);
}

/** Stops all workers, and returns the outcome of the jobs. */
export async function report(
  layer: ChannelLayer,
  workers: readonly WorkerProcess[],
  count: number,
): Promise<JobReport> {
  for (const worker of workers) worker.signal("SIGTERM");
  for (const worker of workers) await worker.ended();
  return {
    missing: missing(workers, count),
    begunTwice: countRepeated(workers.flatMap(({ begun }) => begun)),
    twice: countRepeated(workers.flatMap(({ done }) => done)),
    left: await countLeft(layer, "jobs"),
    dead: await countLeft(layer, "dead.jobs"),
  };
}

function countRepeated(numbers: readonly number[]): number {
  const times = Map.groupBy(numbers, (number) => number);
  return [...times.values()].filter(({ length }) => length > 1).length;
}

function missing(workers: readonly WorkerProcess[], count: number): number[] {
  const done = new Set(workers.flatMap((worker) => worker.done));
  return Array.from({ length: count }, (_, number) => number).filter((n) => !done.has(n));
}

async function countLeft(layer: ChannelLayer, channel: string): Promise<number> {
  for (let count = 0;; count++) {
    const signal = AbortSignal.timeout(1_500);
    const message = await layer.receive(channel, { signal }).catch(() => undefined);
    if (message === undefined) return count;
  }
}
