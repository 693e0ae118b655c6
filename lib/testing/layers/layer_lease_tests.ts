import assert from "node:assert/strict";
import type { ChannelLayer, Lease } from "../../layers/mod.ts";
import { settle } from "../fake_clock.ts";
import type { DefineLayerTest, LayerBed } from "./layer_bed.ts";

const HELLO = { type: "hello" };

/** A lease that expires soon, and a wait that is longer. */
const SHORT = { leaseMs: 100 };
const SHORT_IS_OVER_MS = 110;

/** Duration of a lease that is renewed often, in milliseconds. */
const RENEWED_MS = 500;

/** Section 3 of the specification: leases of durable channels. */
export function leaseTests(test: DefineLayerTest): void {
  test("[S25] a leased message goes to no other reader, and ack() removes it", async (bed) => {
    const layer = await bed.open();
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
    const layer = await bed.open();
    const waiting = Array.from({ length: 5 }, () => layer.lease("jobs"));
    for (let n = 0; n < 5; n++) await layer.send("jobs", { type: `${n}` });
    const leases = await Promise.all(waiting);
    assert.deepEqual(leases.map(({ message }) => message.type).sort(), ["0", "1", "2", "3", "4"]);
    for (const lease of leases) assert.equal(await lease.ack(), true);
  });

  test("[S25] lease() refuses a channel of a process", async (bed) => {
    const layer = await bed.open();
    await assert.rejects(layer.lease(layer.newChannel()), TypeError);
    await assert.rejects(layer.lease("a b"), TypeError);
  });

  test("[S26] a message with an expired lease is redelivered before later ones", async (bed) => {
    const layer = await bed.open(SHORT);
    for (const type of ["1", "2", "3"]) await layer.send("jobs", { type });
    const lost = await layer.lease("jobs");
    await bed.pass(SHORT_IS_OVER_MS);
    const again = await next(bed, layer);
    assert.deepEqual([again.message.type, again.attempt], ["1", 2]);
    let { type } = await layer.receive("jobs");
    if (type === "1") {
      // On a busy machine, the second lease has ended, too.
      assert.equal(await again.ack(), false);
      ({ type } = await layer.receive("jobs"));
    }
    assert.equal(type, "2");
    assert.equal(await lost.ack(), false);
  });

  test("[S26] a waiting reader receives a message with an expired lease without another send()", async (bed) => {
    const layer = await bed.open(SHORT);
    await layer.send("jobs", HELLO);
    await layer.lease("jobs");
    const waiting = layer.lease("jobs");
    await bed.pass(SHORT_IS_OVER_MS);
    assert.equal((await bed.passing(waiting)).attempt, 2);
  });

  test("[S27] renew() extends a lease and records attempts", async (bed) => {
    const layer = await bed.open({ leaseMs: RENEWED_MS });
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
      // A busy machine delayed a renewal: the other reader has the message.
      await (await bed.passing(other)).ack();
    }
  });

  test("[S28] release() returns a message to its place at once", async (bed) => {
    const layer = await bed.open();
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
    const layer = await bed.open();
    await layer.send("jobs", HELLO);
    const lease = await layer.lease("jobs");
    const waiting = layer.receive("jobs");
    await lease.release();
    assert.deepEqual(await bed.passing(waiting), HELLO);
  });

  test("[S29] the holder of a lost lease cannot acknowledge, renew or release the new one", async (bed) => {
    const layer = await bed.open(SHORT);
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

  test("[S30] a lease() aborted at any stage of a delivery loses no message", async (bed) => {
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

  test("[S23] close() ends every waiting lease()", async (bed) => {
    const layer = await bed.open();
    const ended = assert.rejects(layer.lease("jobs"), { code: "CLOSED" });
    await layer.check();
    await layer.close();
    await ended;
    await assert.rejects(layer.lease("jobs"), { code: "CLOSED" });
  });
}

/** Leases between processes. */
export function processLeaseTests(test: DefineLayerTest): void {
  test("[S26] a message whose reader has gone is redelivered to another process", async (bed) => {
    const [one, other] = [await bed.open(SHORT), await bed.open(SHORT)];
    await one.send("jobs", HELLO);
    const lost = await one.lease("jobs");
    const again = await other.lease("jobs");
    assert.deepEqual([again.message, again.attempt], [HELLO, 2]);
    assert.equal(await lost.ack(), false);
    assert.equal(await again.ack(), true);
  });

  test("[S30] close() returns messages that no reader has started", async (bed) => {
    const other = await bed.open();
    for (let n = 0; n < 30; n++) {
      const layer = await bed.open();
      await layer.check();
      const read = Promise.allSettled([layer.lease("jobs"), layer.receive("others")]);
      await settle();
      const sent = [
        other.send("jobs", { type: `${n}` }),
        other.send("others", { type: `${n}` }),
      ];
      for (let turn = 0; turn < n % 6; turn++) await settle();
      // The reader is responsible for leases that it has received.
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
  const reader = await bed.open();
  const spans = reader.extensions.includes("processes");
  return [spans ? await bed.open() : reader, reader];
}

async function next(bed: LayerBed, layer: ChannelLayer): Promise<Lease> {
  return await bed.passing(layer.lease("jobs"));
}
