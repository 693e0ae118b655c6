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
  readonly readRatio: number;
  readonly appendMs: number;
  readonly readMs: number;
}

const message = { type: "said", data: { text: "x".repeat(100), user: { id: "ada" } } };

/** Appends to a short and a long stream, and reads 100 messages at random places, in turn. */
export async function longStream(
  store: StreamStore,
  load: LongStreamLoad,
): Promise<LongStreamCost> {
  await fill(store, "short", load.short);
  await fill(store, "long", load.long);
  const appends: [short: number, long: number][] = [];
  const reads: [short: number, long: number][] = [];
  for (let round = -1; round < load.rounds; round++) {
    const order = round % 2 === 0 ? ["short", "long"] : ["long", "short"];
    const [append, read] = [new Map<string, number>(), new Map<string, number>()];
    for (const stream of order) {
      append.set(stream, await time(load.calls, () => store.append(stream, message)));
    }
    for (const stream of order) {
      const { first, offset } = await store.state(stream);
      read.set(
        stream,
        await time(load.calls, () => {
          const after = first + Math.floor(Math.random() * (offset - first - 100));
          return store.read(stream, { after, limit: 100 });
        }),
      );
    }
    if (round < 0) continue; // Warms up.
    appends.push([append.get("short")!, append.get("long")!]);
    reads.push([read.get("short")!, read.get("long")!]);
  }
  return {
    appendRatio: median(appends.map(([short, long]) => long / short)),
    readRatio: median(reads.map(([short, long]) => long / short)),
    appendMs: median(appends.map(([, long]) => long)),
    readMs: median(reads.map(([, long]) => long)),
  };
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
