import type { ChannelLayer } from "../../layers/mod.ts";
import type { ChannelLayerOptions } from "../../layers/layer_options.ts";
import { Bed, type DefineTest } from "../bed.ts";
import { LayerInbox } from "./layer_inbox.ts";

/** The layers of one test and their clock. */
export class LayerBed extends Bed<ChannelLayer, ChannelLayerOptions> {
  /** Attaches a mailbox to a new channel of this process and adds the channel to groups. */
  async member(layer: ChannelLayer, ...groups: string[]): Promise<TestMember> {
    const inbox = new LayerInbox();
    const channel = layer.newChannel();
    const leave = layer.attach(channel, inbox);
    for (const group of groups) await layer.groupAdd(group, channel);
    return { channel, inbox, leave };
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
}

/** A channel with a mailbox. */
export interface TestMember {
  readonly channel: string;
  readonly inbox: LayerInbox;
  /** Detaches the mailbox. */
  leave(): void;
}

/** Defines one test of the suite. */
export type DefineLayerTest = DefineTest<LayerBed>;
