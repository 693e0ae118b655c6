import { setTimeout } from "node:timers";
import type { ChannelLayer, ChannelLayerOptions } from "../layers/mod.ts";
import { FakeClock } from "./fake_clock.ts";
import { LayerInbox } from "./layer_inbox.ts";

/** What a driver is made with in the suite. */
export interface LayerTestOptions extends ChannelLayerOptions {
  /** Layers with the same system reach each other; others do not. Fit for a prefix of keys. */
  readonly system: string;
}

/** Makes a layer for one test. The suite closes it. */
export type CreateTestLayer = (options: LayerTestOptions) => ChannelLayer | Promise<ChannelLayer>;

/** The layers of one test, and the time in which they live. */
export class LayerBed {
  readonly system: string = `test-${crypto.randomUUID()}`;
  readonly #create: CreateTestLayer;
  readonly #clock: FakeClock | undefined;
  readonly #layers: ChannelLayer[] = [];

  constructor(create: CreateTestLayer, time: "fake" | "real") {
    this.#create = create;
    this.#clock = time === "fake" ? new FakeClock() : undefined;
  }

  /** Makes a layer: one more process of this test's system. */
  async layer(options: ChannelLayerOptions = {}): Promise<ChannelLayer> {
    const clock = this.#clock === undefined ? {} : { clock: this.#clock };
    const layer = await this.#create({ ...clock, ...options, system: this.system });
    this.#layers.push(layer);
    return layer;
  }

  /** Attaches a mailbox to a new channel of this process, and adds that to groups. */
  async member(layer: ChannelLayer, ...groups: string[]): Promise<TestMember> {
    const inbox = new LayerInbox();
    const channel = layer.newChannel();
    const leave = layer.attach(channel, inbox);
    for (const group of groups) await layer.groupAdd(group, channel);
    return { channel, inbox, leave };
  }

  /** Lets `ms` milliseconds pass, on the clock or in fact. */
  async pass(ms: number): Promise<void> {
    if (this.#clock !== undefined) return await this.#clock.advance(ms);
    const until = performance.now() + ms;
    // A timer may be early by a millisecond.
    while (performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  /** Waits for what another process counts, which tells nobody of it. */
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

  /** Reads a channel until there is nothing left in it: until a message that is sent last. */
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
  /** Takes the mailbox away. */
  leave(): void;
}
