import { setTimeout } from "node:timers";
import type { ChannelLayer } from "../../layers/mod.ts";
import type { ChannelLayerOptions } from "../../layers/layer_options.ts";
import { FakeClock } from "../fake_clock.ts";
import { LayerInbox } from "./layer_inbox.ts";

/** The options with which the suite creates a driver. */
export interface LayerTestOptions extends ChannelLayerOptions {
  /** Layers with the same system reach each other; others do not. Usable as a key prefix. */
  readonly system: string;
}

/** Creates a layer for one test. The suite closes it. */
export type CreateTestLayer = (options: LayerTestOptions) => ChannelLayer | Promise<ChannelLayer>;

/** The layers of one test and their clock. */
export class LayerBed {
  readonly system: string = `test-${crypto.randomUUID()}`;
  readonly #create: CreateTestLayer;
  readonly #clock: FakeClock | undefined;
  readonly #layers: ChannelLayer[] = [];

  constructor(create: CreateTestLayer, time: "fake" | "real") {
    this.#create = create;
    this.#clock = time === "fake" ? new FakeClock() : undefined;
  }

  /** Creates a layer, which acts as another process of the test's system. */
  async layer(options: ChannelLayerOptions = {}): Promise<ChannelLayer> {
    const clock = this.#clock === undefined ? {} : { clock: this.#clock };
    const layer = await this.#create({ ...clock, ...options, system: this.system });
    this.#layers.push(layer);
    return layer;
  }

  /** Attaches a mailbox to a new channel of this process and adds the channel to groups. */
  async member(layer: ChannelLayer, ...groups: string[]): Promise<TestMember> {
    const inbox = new LayerInbox();
    const channel = layer.newChannel();
    const leave = layer.attach(channel, inbox);
    for (const group of groups) await layer.groupAdd(group, channel);
    return { channel, inbox, leave };
  }

  /** Lets `ms` milliseconds pass, on the fake clock or in real time. */
  async pass(ms: number): Promise<void> {
    if (this.#clock !== undefined) return await this.#clock.advance(ms);
    const until = performance.now() + ms;
    // A timer may fire a millisecond early.
    while (performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  /** Polls a condition that depends on another process, which sends no event. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.pass(1);
  }

  /** Lets time pass until `work` settles. */
  async passing<T>(work: Promise<T>): Promise<T> {
    let isSettled = false;
    const done = () => void (isSettled = true);
    work.then(done, done);
    await this.until(() => isSettled);
    return await work;
  }

  /** Reads a channel up to a final message that it sends itself. */
  async readAll(layer: ChannelLayer, channel: string): Promise<string[]> {
    await layer.send(channel, { type: "the-last" });
    const types: string[] = [];
    while (true) {
      const { type } = await layer.receive(channel);
      if (type === "the-last") return types;
      types.push(type);
    }
  }

  async close(): Promise<void> {
    for (const layer of this.#layers) await layer.close();
  }
}

/** A channel with a mailbox. */
export interface TestMember {
  readonly channel: string;
  readonly inbox: LayerInbox;
  /** Detaches the mailbox. */
  leave(): void;
}

/** Defines one test of the suite. */
export type DefineLayerTest = (
  name: string,
  body: (bed: LayerBed) => Promise<void>,
) => void;
