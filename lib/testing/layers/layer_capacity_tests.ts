import assert from "node:assert/strict";
import type { ChannelLayer } from "../../layers/mod.ts";
import type { LayerInbox } from "./layer_inbox.ts";
import type { DefineLayerTest, LayerBed } from "./layer_bed.ts";
import type { GroupSendResult } from "../../layers/channel_layer.ts";

/** Capacity of the channels without a reader. The tests send three times the largest capacity. */
const IDLE = 5;
const DURABLE = 20;
const SENT = 3 * DURABLE;

/**
 * A group with mailboxes for 10, 20 and all messages, a channel without a reader and a durable one.
 */
class Crowd {
  readonly group: string;
  readonly durable: string;
  readonly idle: string;
  readonly inboxes: LayerInbox[] = [];
  readonly results: GroupSendResult[] = [];
  readonly #layer: ChannelLayer;

  private constructor(layer: ChannelLayer, group: string) {
    this.#layer = layer;
    this.group = group;
    this.durable = `jobs.${group}`;
    this.idle = layer.newChannel("idle");
  }

  static async gather(bed: LayerBed, layer: ChannelLayer, group: string): Promise<Crowd> {
    const crowd = new Crowd(layer, group);
    for (const capacity of [10, 20, Infinity]) {
      const { inbox } = await bed.member(layer, group);
      inbox.capacity = capacity;
      crowd.inboxes.push(inbox);
    }
    for (const channel of [crowd.durable, crowd.idle]) await layer.groupAdd(group, channel);
    return crowd;
  }

  async send(number: number): Promise<void> {
    this.results[number] = await this.#layer.groupSend(this.group, { type: `${number}` });
  }

  /** Returns for each message how many mailboxes received it and how many channels queue it. */
  async whereabouts(): Promise<{ delivered: number; queued: number }[]> {
    const waiting: string[] = [];
    for (const [channel, count] of [[this.durable, DURABLE], [this.idle, IDLE]] as const) {
      for (let n = 0; n < count; n++) waiting.push((await this.#layer.receive(channel)).type);
    }
    const taken = this.inboxes.flatMap(({ types }) => types);
    return this.results.map((_, number) => ({
      delivered: taken.filter((type) => type === `${number}`).length,
      queued: waiting.filter((type) => type === `${number}`).length,
    }));
  }
}

/** Overload: every sent message is either delivered or counted as dropped. */
export function capacityTests(test: DefineLayerTest): void {
  test("[S15] groupSend() results match each message's outcome at three times the capacity", async (bed) => {
    const layer = await bed.open({
      channelCapacity: [["idle*", IDLE], ["jobs.*", DURABLE]],
    });
    const crowds = [await Crowd.gather(bed, layer, "g"), await Crowd.gather(bed, layer, "h")];
    const sends = [];
    for (let n = 0; n < SENT; n++) for (const crowd of crowds) sends.push(crowd.send(n));
    await Promise.all(sends);
    const { delivered, queued, dropped } = layer.stats;
    const sum = { delivered: 0, queued: 0, dropped: 0 };
    for (const { results } of crowds) {
      for (const result of results) {
        sum.delivered += result.delivered;
        sum.queued += result.queued;
        sum.dropped += result.dropped;
      }
    }
    assert.deepEqual({ delivered, queued, dropped: dropped.full }, sum);
    assert.equal(sum.delivered + sum.queued + sum.dropped, 2 * 5 * SENT);
    for (const crowd of crowds) {
      const found = await crowd.whereabouts();
      for (const [number, result] of crowd.results.entries()) {
        const { delivered, queued } = found[number]!;
        assert.deepEqual([result.delivered, result.queued], [delivered, queued], `${number}`);
        assert.equal(result.dropped, 5 - delivered - queued);
      }
    }
  });

  test("[S9] send() reports for each message whether it was accepted at three times the capacity", async (bed) => {
    const layer = await bed.open({ capacity: DURABLE });
    const channels = ["jobs", layer.newChannel()];
    for (const channel of channels) {
      const sends = Array.from({ length: SENT }, (_, n) => layer.send(channel, { type: `${n}` }));
      const outcomes = await Promise.allSettled(sends);
      const taken = outcomes.flatMap(({ status }, n) => status === "fulfilled" ? [`${n}`] : []);
      const received: string[] = [];
      while (received.length < DURABLE) received.push((await layer.receive(channel)).type);
      assert.deepEqual(received, taken);
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") assert.equal(outcome.reason.code, "CHANNEL_FULL");
      }
    }
    assert.equal(layer.stats.sent, 2 * DURABLE);
    assert.equal(layer.stats.dropped.full, 2 * (SENT - DURABLE));
  });
}

/** The same across processes: each counts for its own members. */
export function processCapacityTests(test: DefineLayerTest): void {
  test("[S15] each process counts the losses of each group exactly at three times the capacity", async (bed) => {
    const layers = [await bed.open(), await bed.open(), await bed.open()];
    const fences: LayerInbox[] = [];
    const members: { inbox: LayerInbox; process: number }[] = [];
    for (const [process, layer] of layers.entries()) {
      for (const group of ["g", "h"]) {
        const { inbox } = await bed.member(layer, group);
        inbox.capacity = 10 * (process + 1) + (group === "g" ? 0 : 5);
        members.push({ inbox, process });
      }
      fences.push((await bed.member(layer, "fence")).inbox);
    }
    const sends = [];
    for (let n = 0; n < SENT; n++) {
      for (const group of ["g", "h"]) {
        sends.push(layers[n % 3]!.groupSend(group, { type: `${n}` }));
      }
    }
    const results = await Promise.all(sends);
    for (const { delivered, queued, dropped } of results) {
      assert.deepEqual([delivered + dropped, queued], [1, 0]);
    }
    // One more message each, so that double counting would show.
    for (const layer of layers) await layer.groupSend("fence", { type: "end" });
    for (const fence of fences) await fence.wait(layers.length);
    const seen = ({ stats }: ChannelLayer) => stats.delivered + stats.dropped.full;
    await bed.until(() => layers.every((layer) => seen(layer) >= 2 * SENT + layers.length));
    for (const [process, { stats }] of layers.entries()) {
      const own = members.filter((member) => member.process === process);
      const taken = own.reduce((sum, { inbox }) => sum + inbox.messages.length, 0);
      assert.equal(taken, own.reduce((sum, { inbox }) => sum + inbox.capacity, 0));
      assert.equal(stats.delivered - layers.length, taken);
      assert.equal(stats.dropped.full, 2 * SENT - taken);
    }
  });
}
