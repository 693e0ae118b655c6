import type { StreamStore } from "@sluice/sluice/streams";
import { median } from "./publish_cost.ts";

/** The size of a measurement. */
export interface LongStreamLoad {
  readonly short: number;
  readonly long: number;
  readonly calls: number;
  readonly rounds: number;
}

/** The cost of calls on the long stream, relative to the short one. */
export interface LongStreamCost {
  readonly appendRatio: number;
  /** For reads among the newest messages, as readers that catch up do. */
  readonly readRatio: number;
  /** For reads anywhere: of messages that are in no cache of the processor or the database. */
  readonly coldRatio: number;
  readonly appendMs: number;
  readonly readMs: number;
}

const message = { type: "said", data: { text: "x".repeat(100), user: { id: "ada" } } };

/** Appends to a short and a long stream, and reads 100 messages at a time, in turn. */
export async function longStream(
  store: StreamStore,
  load: LongStreamLoad,
): Promise<LongStreamCost> {
  await fill(store, "short", load.short);
  await fill(store, "long", load.long);
  const costs = { append: new Ratios(), read: new Ratios(), cold: new Ratios() };
  for (let round = -1; round < load.rounds; round++) {
    const order = round % 2 === 0 ? ["short", "long"] : ["long", "short"];
    for (const stream of order) {
      const { first, offset } = await store.state(stream);
      const readAfter = (from: number) => {
        const after = from + Math.floor(Math.random() * (offset - from - 100));
        return store.read(stream, { after, limit: 100 });
      };
      const { calls } = load;
      const append = await time(calls, () => store.append(stream, message));
      const read = await time(calls, () => readAfter(Math.max(first, offset - 900)));
      const cold = await time(calls, () => readAfter(first));
      if (round < 0) continue; // Warms up.
      costs.append.add(stream, append);
      costs.read.add(stream, read);
      costs.cold.add(stream, cold);
    }
  }
  return {
    appendRatio: costs.append.median,
    readRatio: costs.read.median,
    coldRatio: costs.cold.median,
    appendMs: median(costs.append.long),
    readMs: median(costs.read.long),
  };
}

/** Measurements of both streams, one of each per round. */
class Ratios {
  readonly short: number[] = [];
  readonly long: number[] = [];

  add(stream: string, ms: number): void {
    (stream === "long" ? this.long : this.short).push(ms);
  }

  /** The median of the ratios of all rounds. */
  get median(): number {
    return median(this.long.map((ms, round) => ms / this.short[round]!));
  }
}

async function time(calls: number, call: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  for (let number = 0; number < calls; number++) await call();
  return (performance.now() - startedAt) / calls;
}

async function fill(store: StreamStore, stream: string, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 5_000) {
    const some = Math.min(left, 5_000);
    await Promise.all(Array.from({ length: some }, () => store.append(stream, message)));
  }
}
