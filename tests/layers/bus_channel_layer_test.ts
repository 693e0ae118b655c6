import { test } from "node:test";
import assert from "node:assert/strict";
import type { Bus, BusContext } from "../../lib/layers/bus/bus.ts";
import { BusChannelLayer } from "../../lib/layers/bus/bus_channel_layer.ts";
import { layerSettings } from "../../lib/layers/layer_options.ts";
import { LayerInbox } from "../../lib/testing/layers/layer_inbox.ts";

/** A layer over a bus whose subscriptions become active when the test says so. */
function setUnready() {
  const noted: PromiseWithResolvers<void>[] = [];
  class Layer extends BusChannelLayer {
    constructor() {
      super(layerSettings({}), () => {
        const done = () => Promise.resolve();
        return {
          pollMs: 1_000,
          ready: done,
          removeMember: done,
          close: done,
          flushInbound: done,
          subscribed() {
            const next = Promise.withResolvers<void>();
            noted.push(next);
            return next.promise;
          },
          onFirstMember() {},
          onLastMember() {},
        } as Partial<Bus> as Bus;
      });
    }
  }
  const layer = new Layer();
  const channel = layer.newChannel();
  layer.attach(channel, new LayerInbox());
  const members = async () =>
    (await layer.groupSend("g", { type: "x" }, { local: true })).delivered;
  return { layer, channel, noted, members };
}

test("groupAdd() that fails reverts its own change but no later one", async () => {
  const { layer, channel, noted, members } = setUnready();
  const down = new Error("down");
  const first = assert.rejects(layer.groupAdd("g", channel), /down/);
  const left = layer.groupDiscard("g", channel);
  const second = layer.groupAdd("g", channel);
  const third = assert.rejects(layer.groupAdd("g", channel), /down/);
  noted[0]!.reject(down);
  await first;
  assert.equal(await members(), 1, "the second call is pending");
  noted[2]!.reject(down);
  await third;
  noted[1]!.resolve();
  await Promise.all([left, second]);
  assert.equal(await members(), 1);
  await layer.groupDiscard("g", channel);
  const fourth = assert.rejects(layer.groupAdd("g", channel), /down/);
  noted[3]!.reject(down);
  await fourth;
  assert.equal(await members(), 0);
  await layer.close();
});

/** A layer, the callbacks of its bus, and control over when the bus has caught up. */
function setStage() {
  const caughtUp = Promise.withResolvers<void>();
  let context!: BusContext;
  class Layer extends BusChannelLayer {
    constructor() {
      super(layerSettings({}), (given) => {
        context = given;
        const done = () => Promise.resolve();
        return {
          pollMs: 1_000,
          ready: done,
          subscribed: done,
          removeMember: done,
          close: done,
          flushInbound: () => caughtUp.promise,
          onFirstMember() {},
          onLastMember() {},
        } as Partial<Bus> as Bus;
      });
    }
  }
  const layer = new Layer();
  const [channel, inbox] = [layer.newChannel(), new LayerInbox()];
  layer.attach(channel, inbox);
  const plain = (type: string) => ({ message: { type }, size: 1 });
  return {
    layer,
    channel,
    inbox,
    caughtUp: caughtUp.resolve,
    forGroup: (type: string) => context.receiveForGroup("g", undefined, plain(type)),
    direct: (type: string) => context.receiveDirect(channel, "g", plain(type)),
  };
}

test("BusChannelLayer delivers once to a channel that two processes added, even while it leaves", async () => {
  const { layer, channel, inbox, forGroup, direct, caughtUp } = setStage();
  await layer.groupAdd("g", channel);
  forGroup("1");
  direct("1");
  forGroup("2");
  const left = layer.groupDiscard("g", channel);
  direct("2");
  caughtUp();
  await left;
  assert.deepEqual(inbox.types, ["1", "2"]);
  // Another process adds it again.
  direct("3");
  assert.deepEqual(inbox.types, ["1", "2", "3"]);
  await layer.close();
});
