import { test } from "node:test";
import assert from "node:assert/strict";
import { internalsOf } from "../../lib/core/internals.ts";
import { SharedRateLimiter } from "@sluice/sluice/security";
import { FakeClock, settle } from "@sluice/sluice/testing";
import { MemoryWire, type WireNode } from "../support/presence/memory_wire.ts";

/** A process with a limiter: 60 a minute, 10 at once. */
class Process {
  readonly node: WireNode;
  readonly limiter: SharedRateLimiter;

  constructor(wire: MemoryWire, clock: FakeClock) {
    this.node = wire.connect(clock);
    const options = { perMinute: 60, burst: 10, clock, controlGroup: "rates" };
    this.limiter = new SharedRateLimiter(this.node.layer, options);
  }

  /** Takes up to `count` tokens, and returns how many were granted. */
  try(count: number, key = "192.0.2.1"): number {
    let taken = 0;
    for (let n = 0; n < count; n++) if (this.limiter.take(key) === undefined) taken++;
    return taken;
  }
}

async function system(count: number) {
  const clock = new FakeClock();
  const wire = new MemoryWire();
  const start = () => new Process(wire, clock);
  const processes = Array.from({ length: count }, start);
  for (const process of processes) process.try(1, "first");
  await settle();
  return { clock, start, processes };
}

test("SharedRateLimiter shares the tokens that an address used with all processes", async () => {
  const { clock, processes: [one, two, three] } = await system(3);
  assert.equal(one!.try(4), 4);
  await clock.advance(300);
  assert.equal(two!.try(4), 4);
  await clock.advance(300);
  assert.equal(three!.try(9), 2);
  assert.equal(three!.try(9, "192.0.2.2"), 9);
});

test("SharedRateLimiter shares returned tokens with all processes", async () => {
  const { clock, processes: [one, two] } = await system(2);
  assert.equal(one!.try(6), 6);
  for (let n = 0; n < 6; n++) one!.limiter.giveBack("192.0.2.1");
  await clock.advance(300);
  assert.equal(two!.try(20), 10);
});

test("SharedRateLimiter makes an address earn back the excess after concurrent use of all processes", async () => {
  const { clock, processes } = await system(3);
  let taken = 0;
  for (let second = 0; second < 120; second++) {
    for (const process of processes) taken += process.try(20);
    await clock.advance(1_000);
  }
  // First a burst on each process; then no more than a single process would allow.
  assert.ok(taken <= 30 + 120, `${taken} in two minutes`);
  assert.ok(taken >= 10 + 100, `${taken} in two minutes`);
});

test("SharedRateLimiter of a new or reconnected process requests the used tokens", async () => {
  const { clock, start, processes: [one, two] } = await system(2);
  two!.node.cut();
  one!.try(10);
  await clock.advance(300);
  assert.equal(two!.try(2), 2);
  two!.node.mend();
  await settle();
  assert.equal(two!.try(9), 0);
  const fresh = start();
  fresh.try(1, "first");
  await settle();
  assert.equal(fresh.try(9), 0);
});

test("SharedRateLimiter publishes many takes in few messages, and sends none when idle", async () => {
  const { clock, processes: [one] } = await system(2);
  for (let n = 0; n < 5_000; n++) one!.try(1, `198.51.100.${n}`);
  await clock.advance(300);
  const { sent } = one!.node.layer.stats;
  assert.ok(sent <= 6, `${sent} messages`);
  await clock.advance(60_000);
  assert.equal(one!.node.layer.stats.sent, sent);
});

test("SharedRateLimiter ignores invalid messages", async () => {
  const { clock, processes: [one, two] } = await system(2);
  const garbage = [
    undefined,
    { kind: "took" },
    { kind: "took", amounts: [["192.0.2.1", -5]] },
    { kind: "took", amounts: [["192.0.2.1", "5"]] },
    { kind: "took", amounts: [["192.0.2.1", null]] },
    { kind: "took", amounts: [["x".repeat(1_000), 5]] },
    { kind: "missing", amounts: { length: 1 } },
    { kind: "ask", from: {} },
    { kind: "ask", from: "not a name" },
  ];
  for (const data of garbage) {
    await internalsOf(one!.node.layer).groupSend("rates", { type: "sluice.rates", data });
  }
  await clock.advance(300);
  assert.equal(two!.try(20), 10);
  const lie = { kind: "took", amounts: [["192.0.2.9", 1e9]] };
  await internalsOf(one!.node.layer).groupSend("rates", { type: "sluice.rates", data: lie });
  await clock.advance(11_000);
  assert.equal(two!.try(20, "192.0.2.9"), 1, "a lie costs two bursts, no more");
});

test("SharedRateLimiter limits locally if the layer is unreachable", async () => {
  const { processes: [one] } = await system(1);
  one!.node.cut();
  assert.equal(one!.try(20), 10);
});

for (const tell of [true, false]) {
  test(`SharedRateLimiter publishes tokens used while disconnected after ${tell ? "a reported" : "an unnoticed"} gap`, async () => {
    const { clock, processes: [one, two] } = await system(2);
    await clock.advance(2_000);
    one!.node.cut();
    assert.equal(one!.try(20), 10);
    await clock.advance(300);
    one!.node.mend({ tell });
    await clock.advance(1_100);
    assert.ok(two!.try(20) <= 2, "what was earned back in 1.4 s, at most");
  });
}

test("SharedRateLimiter subtracts tokens used while disconnected exactly once elsewhere", async () => {
  const { clock, processes: [one, two] } = await system(2);
  await clock.advance(2_000);
  one!.node.cut();
  assert.equal(one!.try(6), 6);
  await clock.advance(300);
  one!.node.mend();
  await clock.advance(600);
  assert.equal(two!.try(20), 4);
});

test("SharedRateLimiter subtracts only tokens not yet earned back after a long disconnection", async () => {
  const { clock, processes: [one, two] } = await system(2);
  one!.node.cut();
  let taken = 0;
  for (let second = 0; second < 600; second++) {
    taken += one!.try(5);
    await clock.advance(1_000);
  }
  assert.ok(taken >= 600);
  one!.node.mend();
  await clock.advance(1_100);
  assert.ok(two!.try(20) <= 2);
  await clock.advance(11_000);
  assert.ok(two!.try(20) >= 9);
});

test("SharedRateLimiter learns the tokens of an unreachable process after the gap", async () => {
  const { clock, processes: [one, two] } = await system(2);
  await clock.advance(2_000);
  two!.node.loses = () => true;
  one!.try(10);
  await clock.advance(300);
  two!.node.loses = () => false;
  one!.node.mend(); // The process that used the tokens had the gap.
  await settle();
  assert.equal(two!.try(20), 0);
});

test("SharedRateLimiter publishes later takes despite a hanging call, with at most one pending call", async () => {
  const { clock, processes: [one, two] } = await system(2);
  const { published } = one!.node;
  one!.node.gate = new Promise(() => {});
  for (let n = 0; n < 20; n++) {
    one!.try(1);
    await clock.advance(100);
  }
  assert.equal(one!.node.published - published, 1);
  one!.node.gate = undefined;
  one!.try(10);
  await clock.advance(3_500);
  one!.try(10);
  await clock.advance(1_500);
  assert.ok(two!.try(20) <= 4);
});

test("SharedRateLimiter continues when the wall clock is set back by an hour", async () => {
  const { clock, processes: [one] } = await system(1);
  assert.equal(one!.try(20), 10);
  clock.setBack(3_600_000);
  await clock.advance(5_000);
  assert.equal(one!.try(20), 5);
});

test("SharedRateLimiter uses the valid amounts of a partly invalid message", async () => {
  const { clock, processes: [one, two] } = await system(2);
  const amounts = [["192.0.2.1", 4], null, ["192.0.2.1"], ["192.0.2.1", -1], [1, 1]];
  for (const kind of ["took", "missing"]) {
    const data = { kind, amounts };
    await internalsOf(one!.node.layer).groupSend("rates", { type: "sluice.rates", data });
  }
  await clock.advance(300);
  assert.equal(two!.try(20), 6);
});

test("SharedRateLimiter keeps no timer and publishes nothing after close()", async () => {
  const { clock, processes: [one, two] } = await system(2);
  await clock.advance(2_000);
  one!.node.cut();
  one!.try(5);
  await clock.advance(500);
  one!.limiter.close();
  const before = clock.pending;
  one!.node.mend();
  await clock.advance(5_000);
  assert.ok(clock.pending <= before);
  assert.equal(two!.try(20), 10);
});
