import { test } from "node:test";
import assert from "node:assert/strict";
import { LayerError } from "@sluice/sluice/layers";
import { FakeClock, settle } from "@sluice/sluice/testing";
import type {
  LeaseRequest,
  QueueItem,
  QueueSource,
} from "../../lib/layers/durable/durable_lease.ts";
import { DurableQueues } from "../../lib/layers/durable/durable_queues.ts";
import { LayerCounters } from "../../lib/layers/layer_stats.ts";

const LEASE_MS = 30_000;

/** A store of one channel that can fail before an operation or lose the response after it. */
class FakeSource implements QueueSource {
  readonly requests: LeaseRequest[] = [];
  readonly waiting: QueueItem[] = [];
  readonly leased = new Map<number, { token: string; item: QueueItem }>();
  /** Fails the next call: without effect, or with a lost response after it took effect. */
  fault: "refused" | "unanswered" | undefined;
  /** Delays calls until it resolves. */
  hold: Promise<void> | undefined;

  add(...frames: string[]): void {
    for (const frame of frames) {
      this.waiting.push({ number: this.waiting.length, attempt: 1, frame });
    }
  }

  lease(request: LeaseRequest): Promise<readonly QueueItem[]> {
    this.requests.push(request);
    return this.#answer(() => {
      const known = [...this.leased.values()].filter(({ token }) => token === request.token);
      const fresh = this.waiting.splice(0, request.count - known.length);
      for (const item of fresh) this.leased.set(item.number, { token: request.token, item });
      return [...known.map(({ item }) => item), ...fresh];
    });
  }

  ack(token: string, number: number): Promise<boolean> {
    return this.#settle(token, number, () => {});
  }

  renew(token: string, number: number): Promise<boolean> {
    return this.#answer(() => this.leased.get(number)?.token === token);
  }

  release(token: string, number: number, attempts: number): Promise<boolean> {
    return this.#settle(token, number, (item) => {
      this.waiting.unshift({ ...item, attempt: attempts + 1 });
    });
  }

  #settle(token: string, number: number, done: (item: QueueItem) => void): Promise<boolean> {
    return this.#answer(() => {
      const found = this.leased.get(number);
      if (found?.token !== token) return false;
      this.leased.delete(number);
      done(found.item);
      return true;
    });
  }

  async #answer<T>(act: () => T): Promise<T> {
    const { fault, hold } = this;
    this.fault = undefined;
    await hold;
    if (fault === "refused") throw unavailable();
    const result = act();
    if (fault === "unanswered") throw unavailable();
    return result;
  }
}

function unavailable(): LayerError {
  return new LayerError("UNAVAILABLE", "The test says so");
}

function setUp() {
  const clock = new FakeClock();
  const source = new FakeSource();
  const counters = new LayerCounters();
  const queues = new DurableQueues({
    clock,
    counters,
    leaseMs: LEASE_MS,
    pollMs: 1_000,
    sourceOf: () => source,
    decode: (frame) => JSON.parse(frame),
  });
  return { clock, source, counters, queues };
}

const frame = (type: string) => JSON.stringify({ type });

test("DurableQueues repeats a request with a lost response under its token, and gets its messages", async () => {
  const { clock, source, queues } = setUp();
  source.add(frame("1"), frame("2"));
  source.fault = "unanswered";
  const lease = queues.lease("jobs", undefined);
  await settle();
  assert.equal(source.leased.size, 1);
  await clock.advance(1_000);
  assert.equal((await lease).message.type, "1");
  const [first, again] = source.requests;
  assert.equal(first!.token, again!.token);
  assert.deepEqual([first!.isAgain, again!.isAgain], [false, true]);
  assert.equal(source.waiting.length, 1);
  const next = await queues.lease("jobs", undefined);
  assert.equal(next.message.type, "2");
  assert.notEqual(source.requests[2]!.token, first!.token);
  await queues.close();
});

test("DurableQueues releases a message whose reader gave up, without counting an attempt", async () => {
  const { source, queues } = setUp();
  const { promise, resolve } = Promise.withResolvers<void>();
  source.add(frame("1"));
  source.hold = promise;
  const controller = new AbortController();
  const lease = queues.lease("jobs", controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(lease, /enough/);
  source.hold = undefined;
  resolve();
  await settle();
  assert.deepEqual(source.waiting, [{ number: 0, attempt: 1, frame: frame("1") }]);
  assert.equal(source.leased.size, 0);
  await queues.close();
});

test("DurableQueues.close() waits until messages leased for its readers are released", async () => {
  for (const fault of [undefined, "unanswered"] as const) {
    const { source, queues } = setUp();
    const { promise, resolve } = Promise.withResolvers<void>();
    source.add(frame("1"));
    source.hold = promise;
    source.fault = fault;
    const ended = assert.rejects(queues.lease("jobs", undefined), { code: "CLOSED" });
    const closed = queues.close();
    await ended;
    source.hold = undefined;
    resolve();
    await closed;
    assert.deepEqual([source.waiting.length, source.leased.size], [1, 0]);
    await assert.rejects(queues.lease("jobs", undefined), { code: "CLOSED" });
  }
});

test("DurableQueues.close() waits at most 5 s for the acknowledgement of a mailbox", async () => {
  const { clock, source, queues } = setUp();
  const { promise, resolve } = Promise.withResolvers<void>();
  source.add(frame("1"));
  const got: string[] = [];
  queues.attach("jobs", {
    deliver: ({ type }) => {
      source.hold = promise;
      return got.push(type) > 0;
    },
  });
  await settle();
  assert.deepEqual(got, ["1"]);
  let isClosed = false;
  const closed = queues.close().then(() => isClosed = true);
  await clock.advance(4_999);
  assert.equal(isClosed, false);
  await clock.advance(1);
  await closed;
  resolve();
  await settle();
  assert.equal(source.leased.size, 0);
});

test("receive() removes a message before handing it over, and skips one that another reader has", async () => {
  const { clock, source, counters, queues } = setUp();
  const { promise, resolve } = Promise.withResolvers<void>();
  source.add(frame("1"), frame("2"));
  const message = queues.receive("jobs", undefined);
  source.hold = promise;
  await settle();
  // The process stalls, and another one gets the message in the meantime.
  source.leased.set(0, { token: "other", item: source.leased.get(0)!.item });
  source.hold = undefined;
  resolve();
  await clock.advance(1_000);
  assert.deepEqual(await message, { type: "2" });
  assert.deepEqual([...source.leased.keys()], [0]);
  assert.equal(counters.delivered, 1);
  await queues.close();
});

for (const fault of ["refused", "unanswered"] as const) {
  test(`receive() whose acknowledgement is ${fault} hands the message over once`, async () => {
    const { clock, source, counters, queues } = setUp();
    const { promise, resolve } = Promise.withResolvers<void>();
    source.add(frame("1"), frame("2"));
    source.hold = promise;
    const message = queues.receive("jobs", undefined);
    source.hold = undefined;
    resolve();
    // The lease has been requested; the next call is the acknowledgement.
    await Promise.resolve();
    source.fault = fault;
    assert.deepEqual(await message, { type: "1" });
    await clock.advance(5_000);
    assert.equal(source.leased.size, 0);
    assert.deepEqual(await queues.receive("jobs", undefined), { type: "2" });
    assert.equal(counters.delivered, 2);
    await queues.close();
  });

  test(`ack() whose first attempt is ${fault} resolves with true while the lease holds`, async () => {
    const { clock, source, counters, queues } = setUp();
    source.add(frame("1"));
    const lease = await queues.lease("jobs", undefined);
    source.fault = fault;
    const acked = lease.ack();
    await clock.advance(5_000);
    assert.equal(await acked, true);
    assert.deepEqual([source.leased.size, counters.delivered], [0, 1]);
    await queues.close();
  });
}

test("ack() rejects if the lease ended before the outcome was known", async () => {
  const { clock, source, counters, queues } = setUp();
  source.add(frame("1"));
  const lease = await queues.lease("jobs", undefined);
  const { promise, resolve } = Promise.withResolvers<void>();
  source.fault = "unanswered";
  source.hold = promise;
  const acked = assert.rejects(lease.ack(), { code: "UNAVAILABLE" });
  await clock.advance(LEASE_MS);
  resolve();
  await acked;
  assert.equal(counters.delivered, 0);
  await queues.close();
});

test("DurableQueues counts and removes a malformed message, and delivers the next one", async () => {
  const { source, counters, queues } = setUp();
  source.add("{", frame("2"));
  const message = queues.receive("jobs", undefined);
  assert.deepEqual(await message, { type: "2" });
  assert.equal(counters.dropped.malformed, 1);
  await queues.close();
});

test("DurableQueues leases at most 16 messages for a mailbox that refuses them", async () => {
  const { clock, source, queues } = setUp();
  source.add(...Array.from({ length: 40 }, (_, n) => frame(`${n}`)));
  const got: string[] = [];
  let isFull = true;
  const leave = queues.attach("jobs", {
    deliver: ({ type }) => !isFull && got.push(type) > 0,
  });
  await clock.advance(60_000);
  assert.equal(source.leased.size, 16);
  isFull = false;
  await clock.advance(60_000);
  assert.deepEqual(got, Array.from({ length: 40 }, (_, n) => `${n}`));
  assert.equal(source.leased.size, 0);
  leave();
  await queues.close();
});
