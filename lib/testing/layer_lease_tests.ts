import assert from "node:assert/strict";
import type { ChannelLayer, Lease } from "../layers/mod.ts";
import type { LayerBed } from "./layer_bed.ts";
import { settle } from "./fake_clock.ts";
import type { DefineLayerTest } from "./test_channel_layer.ts";

const HELLO = { type: "hello" };

/** A lease that ends soon, and how long to wait until it has. */
const SHORT = { leaseMs: 100 };
const SHORT_IS_OVER_MS = 110;

/** A lease that is renewed often. */
const RENEWED_MS = 500;

/** Section 3 of the specification: leases of durable channels. */
export function leaseTests(test: DefineLayerTest): void {
  test("[S25] a leased message goes to no other reader, and is gone after ack()", async (bed) => {
    const layer = await bed.layer();
    await layer.send("jobs", { type: "1", data: { a: [1] } });
    await layer.send("jobs", { type: "2" });
    const lease = await layer.lease("jobs");
    assert.deepEqual(lease.message, { type: "1", data: { a: [1] } });
    assert.equal(lease.attempt, 1);
    assert.equal(lease.durationMs, 30_000);
    assert.equal((await layer.receive("jobs")).type, "2");
    assert.equal(await lease.ack(), true);
    assert.deepEqual(await bed.readAll(layer, "jobs"), []);
    assert.equal(layer.stats.delivered, 3);
  });

  test("[S25] lease() waits for a message, and each message goes to one reader", async (bed) => {
    const layer = await bed.layer();
    const waiting = Array.from({ length: 5 }, () => layer.lease("jobs"));
    for (let n = 0; n < 5; n++) await layer.send("jobs", { type: `${n}` });
    const leases = await Promise.all(waiting);
    assert.deepEqual(leases.map(({ message }) => message.type).sort(), ["0", "1", "2", "3", "4"]);
    for (const lease of leases) assert.equal(await lease.ack(), true);
  });

  test("[S25] lease() refuses a channel that lives in a process", async (bed) => {
    const layer = await bed.layer();
    await assert.rejects(layer.lease(layer.newChannel()), TypeError);
    await assert.rejects(layer.lease("a b"), TypeError);
  });

  test("[S26] a message whose lease ended comes again, before later ones", async (bed) => {
    const layer = await bed.layer(SHORT);
    for (const type of ["1", "2", "3"]) await layer.send("jobs", { type });
    const lost = await layer.lease("jobs");
    await bed.pass(SHORT_IS_OVER_MS);
    const again = await next(bed, layer);
    assert.deepEqual([again.message.type, again.attempt], ["1", 2]);
    assert.equal((await layer.receive("jobs")).type, "2");
    assert.equal(await lost.ack(), false);
  });

  test("[S26] a waiting reader gets a message whose lease ended, without a further send()", async (bed) => {
    const layer = await bed.layer(SHORT);
    await layer.send("jobs", HELLO);
    await layer.lease("jobs");
    const waiting = layer.lease("jobs");
    await bed.pass(SHORT_IS_OVER_MS);
    assert.equal((await bed.passing(waiting)).attempt, 2);
  });

  test("[S27] renew() extends a lease, and notes attempts", async (bed) => {
    const layer = await bed.layer({ leaseMs: RENEWED_MS });
    while (true) {
      await layer.send("jobs", HELLO);
      const lease = await layer.lease("jobs");
      const other = layer.lease("jobs");
      const isHeld = await renewFor(bed, lease, 2 * RENEWED_MS);
      if (isHeld && await lease.renew({ attempts: 3 })) {
        assert.equal(lease.attempt, 3);
        await lease.release();
        assert.equal((await bed.passing(other)).attempt, 4);
        return;
      }
      // A busy machine held a renewal up: the other reader has the message.
      await (await bed.passing(other)).ack();
    }
  });

  test("[S28] release() gives a message back at once, to its place", async (bed) => {
    const layer = await bed.layer();
    for (const type of ["1", "2", "3"]) await layer.send("jobs", { type });
    const [one, two] = [await layer.lease("jobs"), await layer.lease("jobs")];
    assert.equal(await two.release({ attempts: two.attempt - 1 }), true);
    assert.equal(await one.release(), true);
    const again = await layer.lease("jobs");
    assert.deepEqual([again.message.type, again.attempt], ["1", 2]);
    const untried = await layer.lease("jobs");
    assert.deepEqual([untried.message.type, untried.attempt], ["2", 1]);
    assert.equal((await layer.lease("jobs")).message.type, "3");
  });

  test("[S28] release() wakes a waiting reader", async (bed) => {
    const layer = await bed.layer();
    await layer.send("jobs", HELLO);
    const lease = await layer.lease("jobs");
    const waiting = layer.receive("jobs");
    await lease.release();
    assert.deepEqual(await bed.passing(waiting), HELLO);
  });

  test("[S29] who lost a lease cannot acknowledge, renew or release another one's", async (bed) => {
    const layer = await bed.layer(SHORT);
    await layer.send("jobs", HELLO);
    const lost = await layer.lease("jobs");
    await bed.pass(SHORT_IS_OVER_MS);
    const held = await next(bed, layer);
    assert.equal(await lost.release(), false);
    assert.equal(await lost.renew(), false);
    assert.equal(await lost.ack(), false);
    assert.equal(await held.ack(), true);
    assert.equal(await held.ack(), false);
    assert.equal(layer.stats.delivered, 1);
  });

  test("[S30] a lease() that is aborted at any stage of a delivery loses no message", async (bed) => {
    const [sender, reader] = await pair(bed);
    const got = new Set<string>();
    const hold = async (lease: Lease) => {
      got.add(lease.message.type);
      await lease.ack();
    };
    for (let n = 0; n < 40; n++) {
      const controller = new AbortController();
      const leased = reader.lease("jobs", { signal: controller.signal }).then(hold, () => {});
      await sender.send("jobs", { type: `${n}` });
      for (let turn = 0; turn < n % 8; turn++) await settle();
      controller.abort();
      await leased;
    }
    while (got.size < 40) await hold(await bed.passing(reader.lease("jobs")));
    assert.equal(sender.stats.queued, 40);
    assert.equal(reader.stats.delivered, 40);
  });

  test("[S31] a durable channel keeps a message at which its mailbox throws", async (bed) => {
    const layer = await bed.layer();
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

  test("[S31] a durable channel keeps what its mailbox refuses, and the order", async (bed) => {
    const layer = await bed.layer();
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

  test("[S31] later messages pass one at which the mailbox throws", async (bed) => {
    const layer = await bed.layer();
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

  test("[S31] what a mailbox did not take is there for the next reader when it leaves", async (bed) => {
    const layer = await bed.layer();
    await layer.send("jobs", HELLO);
    let offers = 0;
    const leave = layer.attach("jobs", { deliver: () => ++offers < 0 });
    await bed.until(() => offers > 0);
    leave();
    assert.deepEqual(await bed.passing(layer.receive("jobs")), HELLO);
  });

  test("[S32] leased messages leave room, and those that come back stay", async (bed) => {
    const layer = await bed.layer({ capacity: 2 });
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

  test("[S32] a message does not expire while it is leased, and waits anew afterwards", async (bed) => {
    const layer = await bed.layer({ expiryMs: 300 });
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

  test("[S33] sent messages are the acknowledged, the waiting and the dropped ones", async (bed) => {
    const layer = await bed.layer({ capacity: 20 });
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

  test("[S24] what was leased and settled leaves nothing behind", async (bed) => {
    const layer = await bed.layer();
    for (let n = 0; n < 20; n++) {
      await layer.send("jobs", { type: "x", data: "x".repeat(1_000) });
      const lease = await layer.lease("jobs");
      if (n % 2 > 0) await lease.release();
      await (n % 2 > 0 ? await layer.lease("jobs") : lease).ack();
    }
    const { channels, waitingSize } = layer.stats;
    assert.deepEqual([channels, waitingSize], [0, 0]);
  });

  test("[S24] a large message is leased whole, however often", async (bed) => {
    const layer = await bed.layer();
    const large = { type: "large", data: "ü".repeat(200_000) };
    await layer.send("jobs", large);
    const lease = await layer.lease("jobs");
    assert.deepEqual(lease.message, large);
    await lease.release();
    const again = await layer.lease("jobs");
    assert.deepEqual(again.message, large);
    assert.equal(await again.ack(), true);
  });

  test("[S23] close() lets no lease() wait", async (bed) => {
    const layer = await bed.layer();
    const ended = assert.rejects(layer.lease("jobs"), { code: "CLOSED" });
    await layer.check();
    await layer.close();
    await ended;
    await assert.rejects(layer.lease("jobs"), { code: "CLOSED" });
  });
}

/** What holds between processes. */
export function processLeaseTests(test: DefineLayerTest): void {
  test("[S26] a message whose reader is gone comes to another process", async (bed) => {
    const [one, other] = [await bed.layer(SHORT), await bed.layer(SHORT)];
    await one.send("jobs", HELLO);
    const lost = await one.lease("jobs");
    const again = await other.lease("jobs");
    assert.deepEqual([again.message, again.attempt], [HELLO, 2]);
    assert.equal(await lost.ack(), false);
    assert.equal(await again.ack(), true);
  });

  test("[S30] close() gives back at once what no reader has begun", async (bed) => {
    const other = await bed.layer();
    for (let n = 0; n < 30; n++) {
      const layer = await bed.layer();
      await layer.check();
      const read = Promise.allSettled([layer.lease("jobs"), layer.receive("others")]);
      await settle();
      const sent = [
        other.send("jobs", { type: `${n}` }),
        other.send("others", { type: `${n}` }),
      ];
      for (let turn = 0; turn < n % 6; turn++) await settle();
      // Of leases that were handed over, the reader is in charge.
      const closed = layer.close();
      const [lease, message] = await read;
      await closed;
      await Promise.all(sent);
      if (lease.status === "rejected") {
        assert.equal((await other.receive("jobs")).type, `${n}`);
      }
      if (message.status === "rejected") {
        assert.equal((await other.receive("others")).type, `${n}`);
      }
    }
  });
}

/** Renews a lease for `ms` milliseconds. Returns false if it was lost. */
async function renewFor(bed: LayerBed, lease: Lease, ms: number): Promise<boolean> {
  for (let left = ms; left > 0; left -= 50) {
    await bed.pass(50);
    if (!await lease.renew()) return false;
  }
  return true;
}

/** Two processes, or one in both roles. */
async function pair(bed: LayerBed): Promise<readonly [ChannelLayer, ChannelLayer]> {
  const reader = await bed.layer();
  const spans = reader.extensions.includes("processes");
  return [spans ? await bed.layer() : reader, reader];
}

async function next(bed: LayerBed, layer: ChannelLayer): Promise<Lease> {
  return await bed.passing(layer.lease("jobs"));
}
