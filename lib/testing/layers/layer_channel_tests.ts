import assert from "node:assert/strict";
import { settle } from "../fake_clock.ts";
import { LayerInbox } from "./layer_inbox.ts";
import type { DefineLayerTest } from "./layer_bed.ts";

const HELLO = { type: "hello" };

/** Section 3 of the specification: channels. */
export function channelTests(test: DefineLayerTest): void {
  test("[S6] a mailbox receives queued messages, then new ones, until it leaves", async (bed) => {
    const layer = await bed.open();
    const inbox = new LayerInbox();
    const channel = layer.newChannel();
    await layer.send(channel, { type: "early" });
    const leave = layer.attach(channel, inbox);
    await layer.send(channel, { type: "late" });
    await inbox.wait(2);
    leave();
    leave();
    assert.deepEqual(inbox.types, ["early", "late"]);
  });

  test("[S6] a durable channel accepts a mailbox", async (bed) => {
    const layer = await bed.open();
    const inbox = new LayerInbox();
    await layer.send("jobs", { type: "early" });
    const leave = layer.attach("jobs", inbox);
    await inbox.wait(1);
    await layer.send("jobs", { type: "late" });
    await inbox.wait(2);
    leave();
    await layer.send("jobs", { type: "later" });
    assert.equal((await layer.receive("jobs")).type, "later");
    assert.deepEqual(inbox.types, ["early", "late"]);
  });

  test("[S6] a channel has one mailbox, and no receive() besides it", async (bed) => {
    const layer = await bed.open();
    for (const channel of [layer.newChannel(), "jobs"]) {
      const leave = layer.attach(channel, new LayerInbox());
      assert.throws(() => layer.attach(channel, new LayerInbox()), TypeError);
      await assert.rejects(layer.receive(channel), TypeError);
      leave();
      layer.attach(channel, new LayerInbox())();
    }
  });

  test("[S6] a mailbox that leaves is removed from all groups", async (bed) => {
    const layer = await bed.open();
    const { leave, inbox } = await bed.member(layer, "g", "h");
    leave();
    assert.equal((await layer.groupSend("g", HELLO)).delivered, 0);
    assert.equal((await layer.groupSend("h", HELLO)).delivered, 0);
    assert.deepEqual(inbox.types, []);
  });

  test("[S7] receive() waits for a message", async (bed) => {
    const layer = await bed.open();
    for (const channel of ["jobs", layer.newChannel()]) {
      const next = layer.receive(channel);
      await layer.send(channel, HELLO);
      assert.deepEqual(await next, HELLO);
    }
  });

  test("[S7] each message goes to one of the waiting receivers", async (bed) => {
    const layer = await bed.open();
    const readers = Array.from({ length: 5 }, () => layer.receive("jobs"));
    for (let n = 0; n < 5; n++) await layer.send("jobs", { type: `${n}` });
    const types = (await Promise.all(readers)).map((message) => message.type);
    assert.deepEqual(types.sort(), ["0", "1", "2", "3", "4"]);
  });

  test("[S7] an aborted receive() takes no message", async (bed) => {
    const layer = await bed.open();
    for (const channel of ["jobs", layer.newChannel()]) {
      const controller = new AbortController();
      const aborted = layer.receive(channel, { signal: controller.signal });
      controller.abort(new Error("enough"));
      await assert.rejects(aborted, /enough/);
      await layer.send(channel, HELLO);
      assert.deepEqual(await layer.receive(channel), HELLO);
      await assert.rejects(layer.receive(channel, { signal: controller.signal }), /enough/);
    }
  });

  test("[S7] a receive() aborted at any stage of a delivery loses no message", async (bed) => {
    const layer = await bed.open();
    const reader = await bed.open();
    const got: string[] = [];
    for (let n = 0; n < 40; n++) {
      const controller = new AbortController();
      const received = reader.receive("jobs", { signal: controller.signal }).then(
        (message) => {
          got.push(message.type);
        },
        () => {},
      );
      // Event loop turns, so that the abort hits every stage of the delivery.
      const sent = layer.extensions.includes("processes") ? layer : reader;
      await sent.send("jobs", { type: `${n}` });
      for (let turn = 0; turn < n % 8; turn++) await settle();
      controller.abort();
      await received;
    }
    while (got.length < 40) got.push((await reader.receive("jobs")).type);
    assert.equal(new Set(got).size, 40);
  });

  test("[S8] send() reaches only the named channel", async (bed) => {
    const layer = await bed.open();
    await layer.send("a", { type: "1" });
    await layer.send("b", { type: "2" });
    assert.deepEqual(await bed.readAll(layer, "a"), ["1"]);
    assert.deepEqual(await bed.readAll(layer, "b"), ["2"]);
  });

  test("[S9] send() to a full channel rejects, and queued messages stay", async (bed) => {
    const layer = await bed.open({ capacity: 2 });
    for (const channel of ["a", layer.newChannel()]) {
      await layer.send(channel, { type: "1" });
      await layer.send(channel, { type: "2" });
      await assert.rejects(layer.send(channel, { type: "3" }), { code: "CHANNEL_FULL" });
      assert.equal((await layer.receive(channel)).type, "1");
      await layer.send(channel, { type: "4" });
      assert.equal((await layer.receive(channel)).type, "2");
      assert.equal((await layer.receive(channel)).type, "4");
    }
    assert.equal(layer.stats.dropped.full, 2);
  });

  test("[S9] send() to a full mailbox rejects", async (bed) => {
    const layer = await bed.open();
    const { channel, inbox } = await bed.member(layer);
    inbox.capacity = 1;
    await layer.send(channel, HELLO);
    await assert.rejects(layer.send(channel, HELLO), { code: "CHANNEL_FULL" });
  });

  test("[S9] the capacity is 100 by default, and the first matching pattern decides", async (bed) => {
    const layer = await bed.open({
      channelCapacity: [["http.request", 1], [/^http\./g, 2], ["sp?cific.*", 3]],
    });
    const count = async (channel: string) => {
      let taken = 0;
      while (await layer.send(channel, HELLO).then(() => true, () => false)) taken++;
      return taken;
    };
    assert.equal(await count("http.request"), 1);
    assert.equal(await count("http.response"), 2);
    assert.equal(await count("http.other"), 2);
    assert.equal(await count(layer.newChannel()), 3);
    assert.equal(await count("other"), 100);
  });

  test("[S9] a capacity that is not a positive integer is refused", async (bed) => {
    for (const capacity of [0, -1, 1.5, NaN]) {
      await assert.rejects(bed.open({ capacity }), RangeError);
      await assert.rejects(bed.open({ channelCapacity: [["a", capacity]] }), RangeError);
    }
  });

  test("[S10] a queued message is dropped after its expiry and makes room", async (bed) => {
    const layer = await bed.open({ capacity: 1, expiryMs: 100 });
    for (const channel of ["jobs", layer.newChannel()]) {
      await layer.send(channel, { type: "old" });
      await bed.pass(105);
      await layer.send(channel, { type: "new" });
      assert.equal((await layer.receive(channel)).type, "new");
    }
    assert.equal(layer.stats.dropped.expired, 2);
  });

  test("[S10] a reader does not receive expired messages", async (bed) => {
    const layer = await bed.open({ expiryMs: 100 });
    for (const channel of ["jobs", layer.newChannel()]) {
      await layer.send(channel, { type: "old" });
      await bed.pass(105);
      const next = layer.receive(channel);
      await layer.check();
      await layer.send(channel, { type: "new" });
      assert.equal((await next).type, "new");
    }
  });

  test("[S11] one sender's messages to one channel keep their order", async (bed) => {
    const layer = await bed.open();
    const expected = Array.from({ length: 50 }, (_, n) => `${n}`);
    for (const channel of ["jobs", layer.newChannel()]) {
      await Promise.all(expected.map((type) => layer.send(channel, { type })));
      assert.deepEqual(await bed.readAll(layer, channel), expected);
    }
  });
}
