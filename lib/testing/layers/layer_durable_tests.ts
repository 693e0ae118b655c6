import assert from "node:assert/strict";
import type { DefineLayerTest } from "./layer_bed.ts";

const HELLO = { type: "hello" };

/** Section 3 of the specification: mailboxes of durable channels, room, expiry and counts. */
export function durableTests(test: DefineLayerTest): void {
  test("[S31] a durable channel keeps a message when its mailbox throws", async (bed) => {
    const layer = await bed.open();
    for (let n = 0; n < 10; n++) await layer.send("jobs", { type: `${n}` });
    const got: string[] = [];
    let failures = 2;
    const leave = layer.attach("jobs", {
      deliver: ({ type }) => {
        if (type === "2" && failures-- > 0) throw new Error("a bug");
        return got.push(type) > 0;
      },
    });
    await bed.until(() => got.length === 10);
    leave();
    assert.deepEqual(got.toSorted(), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    assert.equal(layer.stats.dropped.full, 0);
  });

  test("[S31] a durable channel keeps refused messages and their order", async (bed) => {
    const layer = await bed.open();
    for (let n = 0; n < 6; n++) await layer.send("jobs", { type: `${n}` });
    const got: string[] = [];
    let isFull = false;
    let refusals = 0;
    const leave = layer.attach("jobs", {
      deliver: ({ type }) => {
        isFull = got.length === 3 && refusals++ < 2;
        return !isFull && got.push(type) > 0;
      },
    });
    await bed.until(() => got.length === 6);
    leave();
    assert.deepEqual(got, ["0", "1", "2", "3", "4", "5"]);
    assert.equal(layer.stats.dropped.full, 0);
  });

  test("[S31] later messages overtake one that makes the mailbox throw", async (bed) => {
    const layer = await bed.open();
    const got: string[] = [];
    let offers = 0;
    const leave = layer.attach("jobs", {
      deliver: ({ type }) => {
        if (type !== "bad") return got.push(type) > 0;
        offers++;
        throw new Error("a bug");
      },
    });
    await layer.send("jobs", { type: "bad" });
    await bed.until(() => offers > 0);
    await layer.send("jobs", { type: "good" });
    await bed.until(() => got.length > 0);
    leave();
    assert.deepEqual(got, ["good"]);
    assert.equal((await bed.passing(layer.receive("jobs"))).type, "bad");
  });

  test("[S31] messages that a mailbox did not accept go to the next reader", async (bed) => {
    const layer = await bed.open();
    await layer.send("jobs", HELLO);
    let offers = 0;
    const leave = layer.attach("jobs", { deliver: () => ++offers < 0 });
    await bed.until(() => offers > 0);
    leave();
    assert.deepEqual(await bed.passing(layer.receive("jobs")), HELLO);
  });

  test("[S32] leased messages make room, and redelivered ones stay", async (bed) => {
    const layer = await bed.open({ capacity: 2 });
    await layer.send("jobs", { type: "1" });
    await layer.send("jobs", { type: "2" });
    await assert.rejects(layer.send("jobs", HELLO), { code: "CHANNEL_FULL" });
    const lease = await layer.lease("jobs");
    await layer.send("jobs", { type: "3" });
    await assert.rejects(layer.send("jobs", HELLO), { code: "CHANNEL_FULL" });
    await lease.release();
    await assert.rejects(layer.send("jobs", HELLO), { code: "CHANNEL_FULL" });
    const types = [];
    for (let n = 0; n < 3; n++) types.push((await layer.receive("jobs")).type);
    assert.deepEqual(types, ["1", "2", "3"]);
  });

  test("[S32] a message does not expire during its lease, and its expiry restarts afterwards", async (bed) => {
    const layer = await bed.open({ expiryMs: 300 });
    await layer.send("jobs", { type: "old" });
    const lease = await layer.lease("jobs");
    await bed.pass(310);
    await lease.release();
    const again = await layer.lease("jobs");
    assert.equal(again.message.type, "old");
    await again.release();
    await bed.pass(310);
    await layer.send("jobs", { type: "new" });
    assert.equal((await layer.receive("jobs")).type, "new");
    assert.equal(layer.stats.dropped.expired, 1);
  });

  test("[S33] every sent message is acknowledged, queued or dropped", async (bed) => {
    const layer = await bed.open({ capacity: 20 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, (_, n) => layer.send("jobs", { type: `${n}` })),
    );
    const leases = [];
    for (let n = 0; n < 8; n++) leases.push(await layer.lease("jobs"));
    for (const lease of leases.slice(0, 5)) await lease.ack();
    for (const lease of leases.slice(5, 7)) await lease.release();
    const sent = outcomes.filter(({ status }) => status === "fulfilled").length;
    const { delivered, queued, dropped } = layer.stats;
    assert.deepEqual([sent, queued, delivered, dropped.full], [20, 20, 5, 10]);
    const waiting = [];
    for (let n = 0; n < 14; n++) waiting.push((await layer.receive("jobs")).type);
    assert.equal(new Set(waiting).size, 14);
    await leases[7]!.ack();
    assert.equal(layer.stats.delivered, 20);
    assert.deepEqual(await bed.readAll(layer, "jobs"), []);
  });

  test("[S24] a leased and settled message leaves no state", async (bed) => {
    const layer = await bed.open();
    for (let n = 0; n < 20; n++) {
      await layer.send("jobs", { type: "x", data: "x".repeat(1_000) });
      const lease = await layer.lease("jobs");
      if (n % 2 > 0) await lease.release();
      await (n % 2 > 0 ? await layer.lease("jobs") : lease).ack();
    }
    const { channels, waitingSize } = layer.stats;
    assert.deepEqual([channels, waitingSize], [0, 0]);
  });

  test("[S24] a large message can be leased whole and repeatedly", async (bed) => {
    const layer = await bed.open();
    const large = { type: "large", data: "ü".repeat(200_000) };
    await layer.send("jobs", large);
    const lease = await layer.lease("jobs");
    assert.deepEqual(lease.message, large);
    await lease.release();
    const again = await layer.lease("jobs");
    assert.deepEqual(again.message, large);
    assert.equal(await again.ack(), true);
  });
}
