import assert from "node:assert/strict";
import type { DefineLayerTest } from "./layer_bed.ts";

const HELLO = { type: "hello" };

/** Section 4 of the specification: groups, within one process. */
export function groupTests(test: DefineLayerTest): void {
  test("[S13] a channel added twice receives a message once", async (bed) => {
    const layer = await bed.open();
    const { channel, inbox } = await bed.member(layer, "g", "g");
    await layer.groupAdd("g", channel);
    assert.equal((await layer.groupSend("g", HELLO)).delivered, 1);
    assert.deepEqual(inbox.types, ["hello"]);
  });

  test("[S13] groupDiscard() removes a channel from one group only", async (bed) => {
    const layer = await bed.open();
    const { channel } = await bed.member(layer, "g", "h");
    await layer.groupDiscard("g", channel);
    await layer.groupDiscard("g", channel);
    await layer.groupDiscard("g", "stranger");
    await layer.groupDiscard("nothing", channel);
    assert.equal((await layer.groupSend("g", HELLO)).delivered, 0);
    assert.equal((await layer.groupSend("h", HELLO)).delivered, 1);
  });

  test("[S13] a channel can rejoin, and an empty group can fill again", async (bed) => {
    const layer = await bed.open();
    const { channel, inbox } = await bed.member(layer, "g");
    for (let round = 1; round <= 3; round++) {
      await layer.groupDiscard("g", channel);
      await layer.groupAdd("g", channel);
      assert.equal((await layer.groupSend("g", HELLO)).delivered, 1);
      await inbox.wait(round);
    }
  });

  test("[S13] durable channels can be members", async (bed) => {
    const layer = await bed.open();
    await layer.groupAdd("g", "a");
    await layer.groupAdd("g", "a");
    await layer.groupAdd("g", "b");
    assert.equal((await layer.groupSend("g", { type: "1" })).queued, 2);
    await layer.groupDiscard("g", "b");
    assert.equal((await layer.groupSend("g", { type: "2" })).queued, 1);
    assert.deepEqual(await bed.readAll(layer, "a"), ["1", "2"]);
    assert.deepEqual(await bed.readAll(layer, "b"), ["1"]);
  });

  test("[S13] groupAdd() and groupDiscard() take effect in call order", async (bed) => {
    const layer = await bed.open();
    const { channel, inbox } = await bed.member(layer);
    for (const name of [channel, "jobs"]) {
      const calls = [
        layer.groupAdd("in", name),
        layer.groupDiscard("in", name),
        layer.groupAdd("in", name),
        layer.groupAdd("out", name),
        layer.groupDiscard("out", name),
      ];
      await Promise.all(calls);
    }
    const { delivered, queued } = await layer.groupSend("in", HELLO);
    assert.deepEqual([delivered, queued], [1, 1]);
    const out = await layer.groupSend("out", HELLO);
    assert.deepEqual([out.delivered, out.queued], [0, 0]);
    assert.deepEqual(inbox.types, ["hello"]);
  });

  test("[S13] groupAdd() of a channel that has ended has no effect", async (bed) => {
    const layer = await bed.open();
    const { channel, leave } = await bed.member(layer);
    const added = layer.groupAdd("early", channel);
    leave();
    await Promise.all([added, layer.groupAdd("late", channel)]);
    for (const group of ["early", "late"]) {
      const { delivered, queued, dropped } = await layer.groupSend(group, HELLO);
      assert.deepEqual([delivered, queued, dropped], [0, 0, 0]);
    }
    assert.equal(layer.stats.groups, 0);
  });

  test("[S14] groupSend() skips the channel given as except", async (bed) => {
    const layer = await bed.open();
    const [one, other] = [await bed.member(layer, "g"), await bed.member(layer, "g")];
    await layer.groupAdd("g", "jobs");
    const first = await layer.groupSend("g", HELLO, { except: one.channel });
    assert.deepEqual([first.delivered, first.queued], [1, 1]);
    const second = await layer.groupSend("g", { type: "all" }, { except: "jobs" });
    assert.deepEqual([second.delivered, second.queued], [2, 0]);
    assert.deepEqual(one.inbox.types, ["all"]);
    assert.deepEqual(other.inbox.types, ["hello", "all"]);
  });

  test("[S14] groupSend() with local reaches the members of this process", async (bed) => {
    const layer = await bed.open();
    const { inbox } = await bed.member(layer, "g");
    const result = await layer.groupSend("g", HELLO, { local: true });
    assert.deepEqual(result, { delivered: 1, queued: 0, dropped: 0, processes: 0 });
    assert.deepEqual(inbox.types, ["hello"]);
  });

  test("[S15] groupSend() counts delivered, queued and dropped messages", async (bed) => {
    const layer = await bed.open({ capacity: 1 });
    await bed.member(layer, "g");
    const full = await bed.member(layer, "g");
    full.inbox.capacity = 0;
    await layer.groupAdd("g", "idle");
    await layer.groupAdd("g", "busy");
    await layer.send("busy", HELLO);
    const { delivered, queued, dropped } = await layer.groupSend("g", HELLO);
    assert.deepEqual([delivered, queued, dropped], [1, 1, 2]);
    assert.equal(layer.stats.dropped.full, 2);
  });

  test("[S15] at three times its capacity, sent = delivered + dropped", async (bed) => {
    const layer = await bed.open();
    const members = await Promise.all([1, 2, 3].map(() => bed.member(layer, "g")));
    for (const [index, { inbox }] of members.entries()) inbox.capacity = 50 * (index + 1);
    const results = [];
    for (let n = 0; n < 150; n++) results.push(layer.groupSend("g", HELLO));
    let delivered = 0;
    let dropped = 0;
    for (const result of await Promise.all(results)) {
      assert.equal(result.delivered + result.queued + result.dropped, 3);
      delivered += result.delivered;
      dropped += result.dropped;
    }
    assert.deepEqual([delivered, dropped], [300, 150]);
    assert.equal(layer.stats.dropped.full, 150);
    assert.equal(layer.stats.delivered, 300);
  });

  test("[S15] groupSend() accepts a message for a group without members", async (bed) => {
    const layer = await bed.open();
    const { delivered, queued, dropped } = await layer.groupSend("nobody", HELLO);
    assert.deepEqual([delivered, queued, dropped], [0, 0, 0]);
  });

  test("[S16] a group's members see its messages in the same order", async (bed) => {
    const layer = await bed.open();
    const members = [await bed.member(layer, "g"), await bed.member(layer, "g")];
    const expected = Array.from({ length: 100 }, (_, n) => `${n}`);
    await Promise.all(expected.map((type) => layer.groupSend("g", { type })));
    for (const { inbox } of members) assert.deepEqual(inbox.types, expected);
  });

  test("[S17] a channel without a reader leaves its groups after their expiry", async (bed) => {
    const layer = await bed.open({ groupExpiryMs: 200 });
    const { inbox } = await bed.member(layer, "g");
    for (const channel of ["jobs", layer.newChannel()]) {
      await layer.groupAdd("g", channel);
      assert.equal((await layer.groupSend("g", HELLO)).queued, 1);
      await bed.pass(205);
      assert.equal((await layer.groupSend("g", HELLO)).queued, 0);
    }
    assert.equal(inbox.messages.length, 4);
  });
}
