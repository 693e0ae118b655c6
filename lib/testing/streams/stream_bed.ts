import { setTimeout } from "node:timers/promises";
import type { StreamStore } from "../../streams/mod.ts";
import type { StreamStoreOptions } from "../../streams/stream_options.ts";
import { FakeClock } from "../fake_clock.ts";

/** The options with which the suite creates a store. */
export interface StreamTestOptions extends StreamStoreOptions {
  /** Stores with the same system share their streams; others do not. Usable as a key prefix. */
  readonly system: string;
}

/** Creates a store for one test. The suite closes it. */
export type CreateTestStore = (
  options: StreamTestOptions,
) => StreamStore | Promise<StreamStore>;

/** The stores of one test and their clock. */
export class StreamBed {
  readonly #system: string = `test-${crypto.randomUUID()}`;
  readonly #create: CreateTestStore;
  readonly #clock: FakeClock | undefined;
  readonly #stores: StreamStore[] = [];

  constructor(create: CreateTestStore, time: "fake" | "real") {
    this.#create = create;
    this.#clock = time === "fake" ? new FakeClock() : undefined;
  }

  /** Creates a store; further ones act as other processes of the test's system. */
  async store(options: StreamStoreOptions = {}): Promise<StreamStore> {
    const clock = this.#clock === undefined ? {} : { clock: this.#clock };
    const store = await this.#create({ ...clock, ...options, system: this.#system });
    this.#stores.push(store);
    return store;
  }

  /** Lets `ms` milliseconds pass, on the fake clock or in real time. */
  async pass(ms: number): Promise<void> {
    if (this.#clock === undefined) await setTimeout(ms + 2);
    else await this.#clock.advance(ms);
  }

  async close(): Promise<void> {
    for (const store of this.#stores) await store.close();
  }
}

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

/** Defines one test of the suite. `needsFakeTime` skips it in real time. */
export type DefineStreamTest = (
  name: string,
  body: (bed: StreamBed) => Promise<void>,
  options?: { readonly needsFakeTime?: boolean },
) => void;
