import { test } from "node:test";
import assert from "node:assert/strict";
import * as v from "valibot";
import { type LayerGap, MemoryChannelLayer } from "@sluice/sluice/layers";
import { defineMessages, type } from "@sluice/sluice/protocol";
import { channelRouter } from "@sluice/sluice/routing";
import { FakeClock, FaultyLayer, settle } from "@sluice/sluice/testing";
import {
  DEAD_LETTER,
  type DeadLetter,
  type Job,
  type JobHandlersOf,
  retryDelay,
  Unprocessable,
  Worker,
  WorkerConsumer,
  type WorkerOptions,
} from "@sluice/sluice/workers";

const messages = defineMessages({
  client: {},
  server: {},
  layer: {
    add: v.object({ n: v.number() }),
    wait: type<{ readonly n: number }>(),
  },
});

let handle: (n: number, job: Job) => void | Promise<void> = () => {};

class Adder extends WorkerConsumer<typeof messages> {
  static stopped = 0;
  readonly messages = messages;
  readonly handlers = handlers;
  override stop() {
    Adder.stopped++;
  }
}

const handlers: JobHandlersOf<Adder> = {
  add: ({ n }, job) => handle(n, job),
  wait: ({ n }, job) => handle(n, job),
};

const log = { debug() {}, info() {}, warn() {}, error() {} };

function setUp(options: Partial<WorkerOptions> = {}) {
  const clock = new FakeClock();
  const layer = new FaultyLayer(new MemoryChannelLayer({ clock }));
  const worker = new Worker(channelRouter({ numbers: Adder }), {
    layer,
    log,
    clock,
    random: () => 1,
    ...options,
  });
  const running = worker.run(["numbers"]);
  const add = (n: unknown) => layer.send("numbers", { type: "add", data: { n } });
  return { clock, layer, worker, running, add };
}

async function deadLetter(layer: FaultyLayer): Promise<DeadLetter> {
  const { type, data } = await layer.receive("dead.numbers");
  assert.equal(type, DEAD_LETTER);
  return data as DeadLetter;
}

test("a worker hands each message of its channel to the handler of its type, once", async () => {
  const seen: number[] = [];
  handle = (n) => void seen.push(n);
  const { worker, running, add } = setUp();
  await add(1);
  await add(2);
  await settle();
  await worker.stop();
  await running;
  assert.deepEqual(seen, [1, 2]);
  assert.deepEqual(worker.stats, { handled: 2, retried: 0, dead: 0, lost: 0 });
});

test("a message that fails is tried again after a wait that doubles", async () => {
  const attempts: [attempt: number, at: number][] = [];
  const { clock, worker, add } = setUp();
  const begun = clock.now();
  handle = (_n, { attempt }) => {
    attempts.push([attempt, clock.now() - begun]);
    if (attempt < 4) throw new Error("not yet");
  };
  await add(1);
  await settle();
  await clock.advance(10_000);
  assert.deepEqual(attempts, [[1, 0], [2, 1000], [3, 3000], [4, 7000]]);
  assert.deepEqual(worker.stats, { handled: 1, retried: 3, dead: 0, lost: 0 });
  await worker.stop();
});

test("a message that fails five times is in the dead-letter channel, with why", async () => {
  handle = () => {
    throw new RangeError("too far");
  };
  const { clock, layer, worker, add } = setUp();
  await add(7);
  await settle();
  await clock.advance(60_000);
  const letter = await deadLetter(layer);
  assert.equal(letter.attempts, 5);
  assert.equal(letter.error, "RangeError: too far");
  assert.equal(letter.channel, "numbers");
  assert.deepEqual(letter.message, { type: "add", data: { n: 7 } });
  assert.equal(worker.stats.dead, 1);
  await worker.stop();
});

test("a worker hears of a gap of the layer until it stops; what gap() throws is logged", async () => {
  const errors: string[] = [];
  const gaps: number[] = [];
  class Counter extends Adder {
    override gap({ since, until }: LayerGap) {
      gaps.push(until - since);
      throw new Error("state is gone");
    }
  }
  const layer = new FaultyLayer();
  const worker = new Worker(channelRouter({ numbers: Counter }), {
    layer,
    log: { ...log, error: (message) => void errors.push(message) },
  });
  const running = worker.run(["numbers"]);
  layer.tellGap({ since: 1_000, until: 4_000 });
  await settle();
  await worker.stop();
  await running;
  layer.tellGap({ since: 5_000, until: 6_000 });
  assert.deepEqual(gaps, [3_000]);
  assert.deepEqual(errors, ["A worker failed after a gap"]);
});

const UNPROCESSABLE: [why: string, message: { type: string; data?: unknown }, error: RegExp][] = [
  ["of an unknown type", { type: "subtract" }, /Nothing handles messages of type "subtract"/],
  ["of a type of every object", { type: "toString" }, /Nothing handles/],
  ["that does not fit its schema", { type: "add", data: { n: "1" } }, /data\.n/],
];
for (const [why, message, error] of UNPROCESSABLE) {
  test(`a message ${why} goes to the dead letters at once, and reaches no handler`, async () => {
    let handled = 0;
    handle = () => void handled++;
    const { layer, worker } = setUp();
    await layer.send("numbers", message);
    const letter = await deadLetter(layer);
    assert.equal(letter.attempts, 1);
    assert.match(letter.error, error);
    assert.equal(handled, 0);
    await worker.stop();
  });
}

test("a handler that throws Unprocessable is not tried again", async () => {
  handle = () => {
    throw new Unprocessable("no such file");
  };
  const { layer, worker, add } = setUp();
  await add(1);
  assert.equal((await deadLetter(layer)).attempts, 1);
  await worker.stop();
});

test("no more messages are under way than `concurrency`, and the rest waits in the layer", async () => {
  const under = new Set<number>();
  const release: (() => void)[] = [];
  handle = async (n) => {
    under.add(n);
    await new Promise<void>((resolve) => release.push(resolve));
    under.delete(n);
  };
  const { layer, worker, running, add } = setUp({ concurrency: 2 });
  for (let n = 0; n < 5; n++) await add(n);
  await settle();
  assert.deepEqual([...under], [0, 1]);
  assert.ok(layer.stats.queued >= 3);
  release.shift()!();
  await settle();
  assert.deepEqual([...under], [1, 2]);
  const stopping = worker.stop();
  await settle();
  while (release.length > 0) {
    release.shift()!();
    await settle();
  }
  await stopping;
  await running;
  assert.equal(worker.stats.handled, 3);
  assert.deepEqual(await layer.receive("numbers"), { type: "add", data: { n: 3 } });
});

test("with a concurrency of 1 messages are handled in order, the failed one first", async () => {
  const seen: string[] = [];
  handle = (n, { attempt }) => {
    seen.push(`${n}.${attempt}`);
    if (n === 1 && attempt === 1) throw new Error("once");
  };
  const { clock, worker, add } = setUp({ concurrency: 1 });
  await add(1);
  await add(2);
  await settle();
  await clock.advance(2000);
  assert.deepEqual(seen, ["1.1", "1.2", "2.1"]);
  await worker.stop();
});

test("stop() puts a message that waits for another attempt back on its channel", async () => {
  handle = () => {
    throw new Error("not now");
  };
  Adder.stopped = 0;
  const { layer, worker, running, add } = setUp();
  await add(9);
  await settle();
  await worker.stop();
  await running;
  assert.deepEqual(await layer.receive("numbers"), { type: "add", data: { n: 9 } });
  assert.equal(Adder.stopped, 1);
});

test("stop() waits for a handler no longer than its grace, and aborts its signal then", async () => {
  let signal: AbortSignal | undefined;
  handle = (_n, job) => {
    signal = job.signal;
    return new Promise(() => {});
  };
  const { clock, worker, add } = setUp();
  await add(1);
  await settle();
  const stopping = worker.stop(5000);
  await clock.advance(4999);
  assert.equal(signal?.aborted, false);
  await clock.advance(1);
  await stopping;
  assert.equal(signal?.aborted, true);
});

test("a worker goes on where its layer was away for a while", async () => {
  const seen: number[] = [];
  handle = (n) => void seen.push(n);
  const clock = new FakeClock();
  const layer = new FaultyLayer(new MemoryChannelLayer({ clock }));
  layer.fault = "unavailable";
  const worker = new Worker(channelRouter({ numbers: Adder }), { layer, log, clock });
  void worker.run(["numbers"]);
  await clock.advance(10_000);
  layer.fault = undefined;
  await layer.send("numbers", { type: "add", data: { n: 3 } });
  await clock.advance(60_000);
  assert.deepEqual(seen, [3]);
  await worker.stop();
});

test("a dead letter that its channel does not take is in the log, and counted as lost", async () => {
  const errors: string[] = [];
  handle = () => {
    throw new Unprocessable("never");
  };
  const { layer, worker, add } = setUp({
    log: { ...log, error: (message) => void errors.push(message) },
  });
  await add(1);
  layer.fault = "full";
  await settle();
  assert.equal(worker.stats.lost, 1);
  assert.deepEqual(errors, ["A message was given up", "A message is lost"]);
  await worker.stop();
});

test("onDeadLetter() gets a message that was given up, to keep it for longer", async () => {
  const kept: DeadLetter[] = [];
  handle = () => {
    throw new Unprocessable("never");
  };
  const { layer, worker, add } = setUp({ onDeadLetter: (letter) => void kept.push(letter) });
  await add(1);
  await deadLetter(layer);
  assert.equal(kept[0]?.error, "Unprocessable: never");
  await worker.stop();
});

test("run() refuses a channel that nothing serves before it begins any", async () => {
  const { worker } = setUp();
  await assert.rejects(worker.run(["other"]), /Nothing serves the channel "other".*numbers/);
  await assert.rejects(worker.run(["numbers"]), /served already/);
  await worker.stop();
});

test("retryDelay() doubles up to its bound, and is at least half of it", () => {
  assert.deepEqual([1, 2, 3, 9].map((attempt) => retryDelay(attempt, {}, () => 1)), [
    1000,
    2000,
    4000,
    60_000,
  ]);
  assert.equal(retryDelay(1, { baseMs: 10 }, () => 0), 5);
});

test("handlers of jobs that are missing, misspelt or wrong do not compile", () => {
  // @ts-expect-error The handler of "wait" is missing.
  const missing: JobHandlersOf<Adder> = { add() {} };
  // @ts-expect-error There is no message "ad".
  const misspelt: JobHandlersOf<Adder> = { add() {}, wait() {}, ad() {} };
  // @ts-expect-error The number is no string.
  const wrong: JobHandlersOf<Adder> = { add() {}, wait: (data: { n: string }) => void data };
  assert.ok([missing, misspelt, wrong].length);
});
