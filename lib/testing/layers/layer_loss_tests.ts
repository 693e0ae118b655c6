import assert from "node:assert/strict";
import { LayerError } from "../../layers/mod.ts";
import type { DefineLayerTest } from "./layer_bed.ts";

const HELLO = { type: "hello" };

/** Sections 5 and 6 of the specification: losses, shutdown and limits. */
export function lossTests(test: DefineLayerTest): void {
  test("[S19] stats count sent, delivered and queued messages", async (bed) => {
    const layer = await bed.open();
    const { channel } = await bed.member(layer, "g");
    await layer.send(channel, HELLO);
    await layer.groupSend("g", HELLO);
    await layer.send("jobs", HELLO);
    const { sent, delivered, queued, dropped, gaps } = layer.stats;
    assert.deepEqual([sent, delivered, queued, gaps], [3, 2, 1, 0]);
    assert.deepEqual(Object.values(dropped).filter((count) => count > 0), []);
  });

  test("[S19] a message to an ended channel is counted and not queued", async (bed) => {
    const layer = await bed.open();
    const { channel, leave } = await bed.member(layer);
    leave();
    await layer.send(channel, HELLO);
    assert.equal(layer.stats.dropped.nobody, 1);
    assert.equal(layer.stats.channels, 0);
  });

  test("[S22] check() resolves when the layer can carry messages", async (bed) => {
    await (await bed.open()).check();
  });

  test("[S23] flush() drops messages and groups and keeps mailboxes", async (bed) => {
    const layer = await bed.open();
    const { channel, inbox } = await bed.member(layer, "g");
    await layer.groupAdd("g", "jobs");
    await layer.send("jobs", { type: "old" });
    await layer.flush();
    const { delivered, queued } = await layer.groupSend("g", HELLO);
    assert.deepEqual([delivered, queued], [0, 0]);
    assert.deepEqual(await bed.readAll(layer, "jobs"), []);
    await layer.send(channel, { type: "new" });
    await layer.groupAdd("g", channel);
    await layer.groupSend("g", { type: "again" });
    assert.deepEqual(inbox.types, ["new", "again"]);
  });

  test("[S23] close() ends every wait and refuses new calls", async (bed) => {
    const layer = await bed.open();
    const waiting = [layer.receive("jobs"), layer.receive(layer.newChannel())];
    const ends = waiting.map((reader) => assert.rejects(reader, LayerError));
    await layer.check();
    await layer.close();
    await layer.close();
    await Promise.all(ends);
    const closed = { code: "CLOSED" };
    await assert.rejects(layer.send("a", HELLO), closed);
    await assert.rejects(layer.send(layer.newChannel(), HELLO), closed);
    await assert.rejects(layer.receive("a"), closed);
    await assert.rejects(layer.groupAdd("g", "a"), closed);
    await assert.rejects(layer.groupSend("g", HELLO), closed);
    await assert.rejects(layer.check(), closed);
    assert.throws(() => layer.attach(layer.newChannel(), { deliver: () => true }), closed);
  });

  test("[S24] a limit of channels or groups refuses new ones and keeps the others", async (bed) => {
    const layer = await bed.open({ maxChannels: 2, maxGroups: 2 });
    const [one] = [await bed.member(layer, "g", "h"), await bed.member(layer, "g")];
    const limit = { code: "LIMIT_REACHED" };
    assert.throws(() => layer.attach(layer.newChannel(), { deliver: () => true }), limit);
    await assert.rejects(layer.send(layer.newChannel(), HELLO), limit);
    await assert.rejects(layer.groupAdd("i", one.channel), limit);
    assert.equal((await layer.groupSend("g", HELLO)).delivered, 2);
    one.leave();
    await bed.member(layer, "h");
  });

  test("[S24] a limit of queued bytes refuses new messages until a reader makes room", async (bed) => {
    const layer = await bed.open({ maxWaitingBytes: 3000 });
    const [one, other] = [layer.newChannel(), layer.newChannel()];
    const large = { type: "large", data: "x".repeat(1000) };
    await layer.send(one, large);
    await layer.send(other, large);
    await assert.rejects(layer.send(one, large), { code: "LIMIT_REACHED" });
    await layer.groupAdd("g", other);
    assert.equal((await layer.groupSend("g", large)).dropped, 1);
    assert.equal(layer.stats.dropped.limit, 2);
    await layer.receive(one);
    await layer.send(one, large);
    layer.attach(one, { deliver: () => true });
    layer.attach(other, { deliver: () => true });
    assert.equal(layer.stats.waitingSize, 0);
  });

  test("[S24] ended channels and groups leave no state", async (bed) => {
    const layer = await bed.open();
    for (let n = 0; n < 100; n++) {
      const { channel, leave } = await bed.member(layer, "g", `g${n}`);
      await layer.send(channel, HELLO);
      leave();
      const unread = layer.newChannel();
      await layer.send(unread, HELLO);
      await layer.receive(unread);
    }
    const { channels, groups, waitingSize } = layer.stats;
    assert.deepEqual([channels, groups, waitingSize], [0, 0, 0]);
  });
}
