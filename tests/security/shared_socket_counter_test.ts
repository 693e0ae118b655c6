import { test } from "node:test";
import assert from "node:assert/strict";
import { internalsOf } from "../../lib/core/internals.ts";
import { SharedSocketCounter } from "@sluice/sluice/security";
import { FakeClock, settle } from "@sluice/sluice/testing";
import { MemoryWire, type WireNode } from "../support/presence/memory_wire.ts";

type Release = (() => void) | undefined;

/** A process with a counter. */
class Process {
  readonly node: WireNode;
  readonly counter: SharedSocketCounter;

  constructor(wire: MemoryWire, clock: FakeClock) {
    this.node = wire.connect(clock);
    this.counter = new SharedSocketCounter(this.node.layer, { clock: this.node.clock });
  }
}

function system(count: number) {
  const clock = new FakeClock();
  const wire = new MemoryWire();
  const start = () => new Process(wire, clock);
  const processes = Array.from({ length: count }, start);
  /** Requests sockets of ada from a process, with a `limit`; resolves with the granted ones. */
  const open = async (
    process: Process,
    wanted: number,
    limit: number,
    withinMs = 6_000,
  ): Promise<Release[]> => {
    const taking = Array.from({ length: wanted }, () => process.counter.take("user ada", limit));
    await clock.advance(withinMs);
    return (await Promise.all(taking)).filter((release) => release !== undefined);
  };
  return { clock, start, processes, open };
}

test("SharedSocketCounter enforces a limit over processes that are used in turn", async () => {
  const { processes: [one, two, three], open } = system(3);
  assert.equal((await open(one!, 3, 5)).length, 3);
  assert.equal((await open(two!, 4, 5)).length, 2);
  assert.equal((await open(three!, 4, 5)).length, 0);
  assert.equal(three!.counter.count("user ada"), 5);
  assert.equal(three!.counter.count("user grace"), 0);
});

test("SharedSocketCounter exceeds the limit by at most two for concurrent opens on three processes", async () => {
  for (const limit of [1, 2, 5, 20, 50]) {
    const { clock, processes, open } = system(3);
    // The processes know each other, or all start at the same moment.
    if (limit > 2) { for (const process of processes) await process.counter.take("user grace", 9); }
    await clock.advance(limit > 5 ? 1_000 : 0);
    const opened = await Promise.all(processes.map((process) => open(process, 60, limit)));
    const sum = opened.flat().length;
    assert.ok(sum >= limit && sum <= limit + 2, `${sum} of ${limit}`);
    for (const process of processes) assert.equal((await open(process, 1, limit)).length, 0);
  }
});

test("SharedSocketCounter never waits in a single process", async () => {
  const { processes: [one] } = system(1);
  const taken = await Promise.all(
    Array.from({ length: 30 }, () => one!.counter.take("user ada", 20)),
  );
  assert.equal(taken.filter((release) => release !== undefined).length, 20);
});

test("SharedSocketCounter frees released sockets on all processes", async () => {
  const { clock, processes: [one, two], open } = system(2);
  const releases = await open(one!, 5, 5);
  assert.equal((await open(two!, 1, 5)).length, 0);
  releases[0]!();
  releases[0]!();
  await clock.advance(300);
  assert.equal((await open(two!, 3, 5)).length, 1);
});

test("SharedSocketCounter drops the sockets of a killed process", async () => {
  const { clock, processes: [one, two], open } = system(2);
  await open(one!, 5, 5);
  assert.equal((await open(two!, 1, 5)).length, 0);
  one!.node.kill();
  await clock.advance(4_000);
  assert.equal(two!.counter.count("user ada"), 5, "it may come back");
  await clock.advance(6_000);
  assert.equal((await open(two!, 9, 5)).length, 5);
});

test("SharedSocketCounter drops the sockets of a leaving process at once", async () => {
  const { clock, processes: [one, two], open } = system(2);
  await open(one!, 5, 5);
  await open(two!, 1, 5);
  await one!.counter.close();
  await clock.advance(1);
  assert.equal(two!.counter.count("user ada"), 0);
});

test("SharedSocketCounter of a new process learns all counts before it admits sockets", async () => {
  const { start, processes: [one, two], open } = system(2);
  await open(one!, 2, 5);
  await open(two!, 2, 5);
  assert.equal((await open(start(), 9, 5)).length, 1);
});

test("SharedSocketCounter does not wait after a process has joined", async () => {
  const { clock, start, processes: [one], open } = system(1);
  await open(one!, 2, 5);
  const { counter } = start();
  const joined = counter.join();
  await clock.advance(500);
  await joined;
  assert.equal(counter.count("user ada"), 2);
  assert.equal(typeof counter.take("user ada", 5), "function");
});

test("SharedSocketCounter keeps counting while disconnected, and synchronises afterwards", async () => {
  const { clock, processes: [one, two], open } = system(2);
  await open(one!, 1, 9);
  await open(two!, 1, 9);
  one!.node.cut();
  // With the pause between two heartbeats (2.2 s at most), the silence stays below 6 s.
  await open(one!, 3, 9, 1_500);
  await open(two!, 2, 9, 1_500);
  assert.equal(two!.counter.count("user ada"), 4, "nobody is dropped for being cut off");
  one!.node.mend();
  await clock.advance(10_000);
  for (const { counter } of [one!, two!]) assert.equal(counter.count("user ada"), 7);
});

test("SharedSocketCounter corrects its counts after lost messages", async () => {
  const { clock, processes: [one, two], open } = system(2);
  await open(two!, 1, 9);
  two!.node.loses = () => true;
  await open(one!, 3, 9);
  assert.equal(two!.counter.count("user ada"), 1);
  two!.node.loses = () => false;
  await clock.advance(6_000);
  assert.equal(two!.counter.count("user ada"), 4);
});

test("SharedSocketCounter publishes a thousand sockets in few messages, and none when idle", async () => {
  const { clock, processes: [one, two] } = system(2);
  await two!.counter.take("user grace", 5);
  for (let n = 0; n < 1_000; n++) await one!.counter.take(`user ${n}`, 5);
  await clock.advance(600);
  const { sent } = one!.node.layer.stats;
  assert.ok(sent < 10, `${sent} messages`);
  await clock.advance(60_000);
  assert.ok(one!.node.layer.stats.sent - sent <= 34, "only heartbeats: one in two seconds");
});

test("SharedSocketCounter ignores invalid messages", async () => {
  const { clock, processes: [one, two], open } = system(2);
  await open(one!, 2, 5);
  await open(two!, 2, 5);
  const state = { kind: "state", from: "nobody.00!1", version: 1, part: 0, parts: 1 };
  const garbage = [
    undefined,
    "x",
    { ...state, changes: [["user ada"]] },
    { ...state, changes: [["user ada", -5]] },
    { ...state, changes: [["user ada", 1.5]] },
    { ...state, changes: [["user ada", "9"]] },
    { ...state, changes: [["user ada", 1e15]] },
    { ...state, changes: [["x".repeat(1_000), 1]] },
    { ...state, changes: "user ada" },
    { ...state, parts: 1e9, changes: [["user ada", 1]] },
    { ...state, version: null, changes: [["user ada", 1]] },
    { kind: "ask", from: "not a name" },
    { kind: "bye", from: 7 },
  ];
  for (const data of garbage) {
    await internalsOf(one!.node.layer).groupSend("sluice.sockets", {
      type: "sluice.sockets",
      data,
    });
  }
  await settle();
  for (const { counter } of [one!, two!]) assert.equal(counter.count("user ada"), 4);
  assert.equal((await open(two!, 3, 5)).length, 1);
  await clock.advance(60_000);
  assert.equal(one!.counter.count("user ada"), 5);
});

test("SharedSocketCounter counts locally if the layer is unreachable", async () => {
  const { processes: [one], open } = system(2);
  one!.node.cut();
  assert.equal((await open(one!, 9, 5)).length, 5);
});
