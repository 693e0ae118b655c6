import type { StreamStore } from "../../streams/mod.ts";
import type { StreamStoreOptions } from "../../streams/stream_options.ts";
import type { Bed, DefineTest } from "../bed.ts";

/** Appends numbered messages one after another. */
export async function fill(store: StreamStore, stream: string, count: number): Promise<void> {
  for (let number = 1; number <= count; number++) {
    await store.append(stream, { type: "said", data: number });
  }
}

/** Returns the offsets of the messages that a store keeps. */
export async function keptOffsets(store: StreamStore, stream: string): Promise<number[]> {
  const { messages } = await store.read(stream, { after: 0, limit: 500 });
  return messages.map(({ offset }) => offset);
}

/** Defines one test of the suite. */
export type DefineStreamTest = DefineTest<Bed<StreamStore, StreamStoreOptions>>;
