import assert from "node:assert/strict";
import type { DefineLayerTest } from "./layer_bed.ts";

const HELLO = { type: "hello" };

/** Behaviour between processes, for drivers that span several. */
export function processTests(test: DefineLayerTest): void {
  test("[S8] send() reaches a channel of another process", async (bed) => {
    const [one, other] = [await bed.open(), await bed.open()];
    const { channel, inbox } = await bed.member(other);
    await one.check();
    await other.check();
    await one.send(channel, { type: "x", data: { a: [1] } });
    assert.deepEqual(await inbox.wait(1), [{ type: "x", data: { a: [1] } }]);
  });

  test("[S7] each message of a durable channel goes to one receiver in any process", async (bed) => {
    const layers = [await bed.open(), await bed.open(), await bed.open()];
    const readers = layers.flatMap((layer) => [layer.receive("jobs"), layer.receive("jobs")]);
    for (let n = 0; n < 6; n++) await layers[n % 3]!.send("jobs", { type: `${n}` });
    const types = (await Promise.all(readers)).map((message) => message.type);
    assert.deepEqual(types.sort(), ["0", "1", "2", "3", "4", "5"]);
  });

  test("[S13] a group can have members in several processes as soon as groupAdd() resolves", async (bed) => {
    const [one, other] = [await bed.open(), await bed.open()];
    const near = await bed.member(one, "g");
    await one.groupSend("g", { type: "before" });
    const far = await bed.member(other, "g");
    const result = await one.groupSend("g", HELLO);
    assert.equal(result.delivered, 1);
    assert.notEqual(result.processes, 0);
    await near.inbox.wait(2);
    await far.inbox.wait(1);
    assert.deepEqual(far.inbox.types, ["hello"]);
    assert.equal(other.stats.delivered, 1);
  });

  test("[S13] a process can add and remove channels of another process", async (bed) => {
    const [one, other] = [await bed.open(), await bed.open()];
    const { channel, inbox } = await bed.member(other, "fence");
    await one.groupAdd("g", channel);
    await one.groupSend("g", { type: "1" });
    await inbox.wait(1);
    await other.groupAdd("g", channel);
    await one.groupSend("g", { type: "2" });
    await inbox.wait(2);
    await one.groupDiscard("g", channel);
    await other.groupDiscard("g", channel);
    await one.groupSend("g", { type: "3" });
    await one.groupSend("fence", { type: "end" });
    await inbox.wait(3);
    assert.deepEqual(inbox.types, ["1", "2", "end"]);
  });

  test("[S14] except and local work across processes", async (bed) => {
    const [one, other] = [await bed.open(), await bed.open()];
    const far = await bed.member(other, "g");
    const near = await bed.member(one, "g");
    await one.groupSend("g", { type: "1" }, { except: far.channel });
    await one.groupSend("g", { type: "2" }, { local: true });
    await one.groupSend("g", { type: "3" });
    await far.inbox.wait(1);
    assert.deepEqual(far.inbox.types, ["3"]);
    assert.deepEqual(near.inbox.types, ["1", "2", "3"]);
  });

  test("[S16] all processes receive a group's messages in the same order, each once", async (bed) => {
    const layers = [await bed.open(), await bed.open(), await bed.open()];
    const members = [];
    for (const layer of layers) members.push(await bed.member(layer, "g"));
    const sends = [];
    for (let n = 0; n < 60; n++) {
      sends.push(layers[n % 3]!.groupSend("g", { type: `${n % 3}.${Math.floor(n / 3)}` }));
    }
    await Promise.all(sends);
    for (const { inbox } of members) await inbox.wait(60);
    const [first, ...others] = members.map(({ inbox }) => inbox.types);
    assert.equal(new Set(first).size, 60);
    for (const types of others) assert.deepEqual(types, first);
    for (const sender of [0, 1, 2]) {
      const own = first!.filter((type) => type.startsWith(`${sender}.`));
      assert.deepEqual(own, Array.from({ length: 20 }, (_, n) => `${sender}.${n}`));
    }
  });

  test("[S18] a group message goes only to processes with members", async (bed) => {
    const [one, other] = [await bed.open(), await bed.open()];
    const { inbox } = await bed.member(other, "h");
    await one.groupSend("g", HELLO);
    await one.groupSend("h", { type: "fence" });
    await inbox.wait(1);
    assert.equal(other.stats.delivered, 1);
  });

  test("[S19] a message to an ended channel is counted in that channel's process", async (bed) => {
    const [one, other] = [await bed.open(), await bed.open()];
    const gone = await bed.member(other, "fence");
    const { inbox } = await bed.member(other, "fence");
    gone.leave();
    await one.send(gone.channel, HELLO);
    await one.groupSend("fence", HELLO);
    await inbox.wait(1);
    await bed.until(() => other.stats.dropped.nobody > 0);
    assert.equal(other.stats.dropped.nobody, 1);
  });

  test("[S15] each process counts its dropped messages at three times the capacity", async (bed) => {
    const [one, other] = [await bed.open(), await bed.open()];
    const near = await bed.member(one, "g");
    const far = await bed.member(other, "g");
    const fence = await bed.member(other, "fence");
    near.inbox.capacity = 10;
    far.inbox.capacity = 20;
    const sends = [];
    for (let n = 0; n < 60; n++) sends.push(one.groupSend("g", HELLO));
    await Promise.all(sends);
    await one.groupSend("fence", HELLO);
    await fence.inbox.wait(1);
    await bed.until(() => other.stats.delivered + other.stats.dropped.full >= 61);
    assert.deepEqual([one.stats.delivered, one.stats.dropped.full], [10, 50]);
    assert.deepEqual([other.stats.delivered - 1, other.stats.dropped.full], [20, 40]);
  });
}
