import { test } from "node:test";
import assert from "node:assert/strict";
import * as v from "valibot";
import { type LayerGap, MemoryChannelLayer } from "@sluice/sluice/layers";
import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import { channelRouter } from "@sluice/sluice/routing";
import { FakeClock, FaultyLayer, settle } from "@sluice/sluice/testing";
import {
  type JobHandlersOf,
  UnprocessableError,
  Worker,
  WorkerConsumer,
} from "@sluice/sluice/workers";
import type { DeadLetter } from "../../lib/workers/dead_letter.ts";
import type { WorkerOptions } from "../../lib/workers/worker_options.ts";
import { DEAD_LETTER } from "../../lib/workers/dead_letter.ts";
import { retryDelay } from "../../lib/workers/retry.ts";
import { silent as log } from "../support/silent_log.ts";
import type { WorkerJob } from "../../lib/workers/worker_consumer.ts";

const messages = defineMessages({
  client: {},
  server: {},
  layer: {
    add: v.object({ n: v.number() }),
    wait: unchecked<{ readonly n: number }>(),
  },
});

let handle: (n: number, job: WorkerJob) => void | Promise<void> = () => {};

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

test("Worker hands each message of its channel to the handler of its type once", async () => {
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

test("Worker retries a failed message after waits that double", async () => {
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

test("Worker sends a message that failed five times to the dead-letter channel, with the error", async () => {
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

test("Worker reports gaps to gap() until it stops, and logs its errors", async () => {
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
  ["of an unknown type", { type: "subtract" }, /No handler for messages of type "subtract"/],
  ["whose type is a property of every object", { type: "toString" }, /No handler/],
  ["that does not match its schema", { type: "add", data: { n: "1" } }, /data\.n/],
];
for (const [why, message, error] of UNPROCESSABLE) {
  test(`Worker sends a message ${why} to the dead letters without calling a handler`, async () => {
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

test("Worker does not retry a handler that throws UnprocessableError", async () => {
  handle = () => {
    throw new UnprocessableError("no such file");
  };
  const { layer, worker, add } = setUp();
  await add(1);
  assert.equal((await deadLetter(layer)).attempts, 1);
  await worker.stop();
});

test("Worker handles up to `concurrency` messages at once, and leaves the rest in the layer", async () => {
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

test("Worker with a concurrency of 1 handles messages in order, and retries a failed one first", async () => {
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

test("stop() returns a message that waits for a retry to its channel", async () => {
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

test("stop() waits for a handler up to the grace period, then aborts its signal", async () => {
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

test("Worker continues after an outage of its layer", async () => {
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

test("Worker keeps a message until its dead letter can be stored", async () => {
  const errors: string[] = [];
  const told: DeadLetter[] = [];
  handle = () => {
    throw new UnprocessableError("never");
  };
  const { clock, layer, worker, add } = setUp({
    log: { ...log, error: (message) => void errors.push(message) },
    onDeadLetter: (letter) => void told.push(letter),
  });
  await add(1);
  layer.fault = "full";
  await settle();
  await clock.advance(1_000);
  assert.deepEqual(worker.stats, { handled: 0, retried: 0, dead: 0, lost: 0 });
  layer.fault = undefined;
  await clock.advance(2_000);
  assert.equal((await deadLetter(layer)).error, "UnprocessableError: never");
  assert.deepEqual(worker.stats, { handled: 0, retried: 0, dead: 1, lost: 0 });
  assert.equal(told.length, 1);
  const failed = "A dead letter cannot be stored";
  assert.deepEqual(errors, ["A message was given up", failed, failed]);
  await worker.stop();
});

test("stop() releases a message whose dead letter cannot be stored", async () => {
  handle = () => {
    throw new UnprocessableError("never");
  };
  const { layer, worker, running, add } = setUp();
  await add(1);
  layer.fault = "full";
  await settle();
  await worker.stop();
  await running;
  const lease = await layer.lease("numbers");
  assert.deepEqual([lease.message.data, lease.attempt], [{ n: 1 }, 1]);
});

const UNUSUAL: [what: string, thrown: unknown, error: RegExp][] = [
  ["an object without a message", Object.create(null), /^An error without a message$/],
  ["undefined", undefined, /^undefined$/],
  ["an error of a megabyte", new Error("x".repeat(2 ** 20)), /^Error: x{993}$/],
];
for (const [what, thrown, error] of UNUSUAL) {
  test(`Worker stores a dead letter if a handler throws ${what}`, async () => {
    handle = () => {
      throw thrown;
    };
    const { layer, worker, add } = setUp({ retry: { attempts: 1 } });
    await add(1);
    assert.match((await deadLetter(layer)).error, error);
    await worker.stop();
  });
}

test("Worker leaves the data out of a dead letter that is too large for the layer", async () => {
  const errors: string[] = [];
  const { layer, worker } = setUp({
    log: { ...log, error: (message) => void errors.push(message) },
  });
  const size = 2 ** 20 - JSON.stringify({ type: "subtract", data: "" }).length;
  await layer.send("numbers", { type: "subtract", data: "x".repeat(size) });
  assert.deepEqual((await deadLetter(layer)).message, { type: "subtract" });
  await settle();
  assert.equal(worker.stats.dead, 1);
  assert.equal(errors.at(-1), "A dead letter is too large: its data was left out");
  await worker.stop();
});

test("Worker renews the lease of a message while its handler runs, then acknowledges it", async () => {
  const done = Promise.withResolvers<void>();
  const attempts: number[] = [];
  handle = (_n, { attempt }) => {
    attempts.push(attempt);
    return done.promise;
  };
  const { clock, layer, worker, running, add } = setUp();
  await add(1);
  await settle();
  await clock.advance(300_000);
  done.resolve();
  await settle();
  await clock.advance(300_000);
  assert.deepEqual(attempts, [1]);
  assert.deepEqual(worker.stats, { handled: 1, retried: 0, dead: 0, lost: 0 });
  await worker.stop();
  await running;
  assert.equal(layer.stats.delivered, 1);
  assert.equal(clock.pending, 0);
});

test("job.signal aborts if the lease is lost, and the message is not acknowledged", async () => {
  const signals: AbortSignal[] = [];
  handle = (_n, { signal }) => {
    signals.push(signal);
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
  };
  const { clock, layer, worker, add } = setUp({ concurrency: 1 });
  await add(1);
  await settle();
  // Renewals fail for longer than the lease, so another reader takes the message.
  layer.fault = "unavailable";
  await clock.advance(31_000);
  layer.fault = undefined;
  const other = await layer.lease("numbers");
  assert.equal(other.attempt, 2);
  await clock.advance(10_000);
  assert.equal(signals[0]!.aborted, true);
  assert.deepEqual(worker.stats, { handled: 0, retried: 0, dead: 0, lost: 1 });
  assert.equal(await other.ack(), true);
  await worker.stop();
});

test("Worker counts attempts over all processes, including those that ended in a crash", async () => {
  const attempts: number[] = [];
  handle = (_n, { attempt }) => {
    attempts.push(attempt);
    throw new Error("not now");
  };
  const { clock, layer, worker, running, add } = setUp();
  await worker.stop();
  await running;
  await add(1);
  for (let n = 1; n <= 4; n++) {
    assert.equal((await layer.lease("numbers")).attempt, n);
    await clock.advance(30_000);
  }
  const second = new Worker(channelRouter({ numbers: Adder }), { layer, log, clock });
  void second.run(["numbers"]);
  const letter = await deadLetter(layer);
  assert.deepEqual([attempts, letter.attempts, letter.error], [[5], 5, "Error: not now"]);
  await second.stop();

  await add(2);
  for (let n = 1; n <= 5; n++) {
    await layer.lease("numbers");
    await clock.advance(30_000);
  }
  const third = new Worker(channelRouter({ numbers: Adder }), { layer, log, clock });
  void third.run(["numbers"]);
  const ended = await deadLetter(layer);
  assert.match(ended.error, /The worker ended before the handler did, in each of 5 attempts/);
  assert.deepEqual([attempts, ended.attempts], [[5], 5]);
  await third.stop();
});

test("Worker records an attempt before it begins, so that a crash counts", async () => {
  handle = () => {
    throw new Error("not yet");
  };
  const { clock, layer, worker, add } = setUp();
  await add(1);
  await settle();
  await clock.advance(1_000);
  await clock.advance(2_000);
  assert.equal(worker.stats.retried, 2);
  // As if the process were killed now: none of its calls reach the layer any more.
  layer.fault = "unavailable";
  void worker.stop();
  await clock.advance(31_000);
  layer.fault = undefined;
  assert.equal((await layer.lease("numbers")).attempt, 4);
});

test("Worker logs an error of the consumer's stop(), and still stops", async () => {
  for (
    const stop of [
      () => {
        throw new Error("no");
      },
      () => Promise.reject(new Error("no")),
    ]
  ) {
    const errors: string[] = [];
    class Failing extends Adder {
      override stop = stop;
    }
    const layer = new FaultyLayer();
    const worker = new Worker(channelRouter({ numbers: Failing, others: Adder }), {
      layer,
      log: { ...log, error: (message, fields) => void errors.push(`${message}: ${fields?.error}`) },
      // The grace period never ends.
      clock: new FakeClock(),
    });
    const running = worker.run(["numbers", "others"]);
    await settle();
    await worker.stop();
    await running;
    assert.deepEqual(errors, ["A worker failed to stop: Error: no"]);
  }
});

test("Worker ends with the grace period if the consumer's stop() hangs", async () => {
  const warnings: string[] = [];
  class Hanging extends Adder {
    override stop(): Promise<void> {
      return new Promise(() => {});
    }
  }
  const clock = new FakeClock();
  const worker = new Worker(channelRouter({ numbers: Hanging }), {
    layer: new FaultyLayer(),
    log: { ...log, warn: (message) => void warnings.push(message) },
    clock,
  });
  void worker.run(["numbers"]);
  await settle();
  const stopped = worker.stop(1_000);
  await clock.advance(1_000);
  await stopped;
  assert.deepEqual(warnings, ["A worker did not stop in time"]);
});

test("run() starts no channel if one worker cannot be created", async () => {
  class Broken extends Adder {
    constructor() {
      super(undefined as never);
      throw new RangeError("no");
    }
  }
  const layer = new FaultyLayer();
  const find = channelRouter({ numbers: Adder, broken: Broken });
  const worker = new Worker(find, { layer, log });
  await assert.rejects(worker.run(["numbers", "broken"]), RangeError);
  await layer.send("numbers", { type: "add", data: { n: 1 } });
  assert.equal((await layer.receive("numbers")).type, "add");
});

test("run() refuses channels that have no leases or no valid dead-letter channel", async () => {
  const worker = new Worker(() => Adder, { layer: new FaultyLayer(), log });
  for (const channel of ["specific.abc!1", "a b", "x".repeat(96)]) {
    await assert.rejects(worker.run([channel]), TypeError);
  }
  await assert.rejects(worker.run(["numbers", "numbers"]), /served already/);
  await worker.stop();
});

test("onDeadLetter() receives a message that was given up", async () => {
  const kept: DeadLetter[] = [];
  handle = () => {
    throw new UnprocessableError("never");
  };
  const { layer, worker, add } = setUp({ onDeadLetter: (letter) => void kept.push(letter) });
  await add(1);
  await deadLetter(layer);
  assert.equal(kept[0]?.error, "UnprocessableError: never");
  await worker.stop();
});

test("run() refuses a channel without a worker before it starts any", async () => {
  const { worker } = setUp();
  await assert.rejects(worker.run(["other"]), /Nothing serves the channel "other".*numbers/);
  await assert.rejects(worker.run(["numbers"]), /served already/);
  await worker.stop();
});

test("retryDelay() doubles up to its limit, and is at least half of the bound", () => {
  assert.deepEqual([1, 2, 3, 9].map((attempt) => retryDelay(attempt, {}, () => 1)), [
    1000,
    2000,
    4000,
    60_000,
  ]);
  assert.equal(retryDelay(1, { baseMs: 10 }, () => 0), 5);
});

test("JobHandlersOf rejects missing, misspelt and mistyped handlers at compile time", () => {
  // @ts-expect-error The handler of "wait" is missing.
  const missing: JobHandlersOf<Adder> = { add() {} };
  // @ts-expect-error There is no message "ad".
  const misspelt: JobHandlersOf<Adder> = { add() {}, wait() {}, ad() {} };
  // @ts-expect-error The number is not a string.
  const wrong: JobHandlersOf<Adder> = { add() {}, wait: (data: { n: string }) => void data };
  assert.ok([missing, misspelt, wrong].length);
});
