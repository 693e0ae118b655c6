import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock, settle } from "@sluice/sluice/testing";
import { type Child, ProcessPool } from "../../app/process/process_pool.ts";

const DRAIN_MS = 1_000;

/** How long a pool may take to end, in milliseconds. */
const END_MS = DRAIN_MS + 5_000;

/** A process that a test controls. */
class FakeChild implements Child {
  static #last = 100;
  readonly pid = ++FakeChild.#last;
  readonly told: string[] = [];
  readonly #listens = Promise.withResolvers<boolean>();
  readonly #ended = Promise.withResolvers<number>();
  readonly listens = this.#listens.promise;
  readonly ended = this.#ended.promise;
  readonly #obeys: boolean;
  state: "starting" | "listening" | "ended" = "starting";

  constructor(obeys: boolean) {
    this.#obeys = obeys;
  }

  listen(): void {
    if (this.state !== "starting") return;
    this.state = "listening";
    this.#listens.resolve(true);
  }

  end(status: number): void {
    this.state = "ended";
    this.#listens.resolve(false);
    this.#ended.resolve(status);
  }

  stop(signal: string): void {
    this.told.push(`stop ${signal}`);
    if (this.#obeys) this.end(0);
  }

  leave(): void {
    this.told.push("leave");
    if (this.#obeys) this.end(0);
  }

  kill(): void {
    this.told.push("kill");
    this.end(137);
  }
}

/** A pool whose processes listen only when a test lets them. */
function createPool(count: number, { obeys = true }: { obeys?: boolean } = {}) {
  const children: FakeChild[] = [];
  const clock = new FakeClock();
  const silent = () => {};
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const start = () => children[children.push(new FakeChild(obeys)) - 1]!;
  const pool = new ProcessPool({ count, start, drainMs: DRAIN_MS, clock, log });
  let status: number | undefined;
  void pool.run().then((code) => status = code);
  const running = () => children.filter(({ state }) => state !== "ended");
  return {
    pool,
    clock,
    children,
    running,
    status: () => status,
    async listen() {
      for (const child of running()) child.listen();
      await settle();
    },
  };
}

test("ProcessPool restarts a process that ended unexpectedly, after a pause", async () => {
  const { pool, clock, children, running, listen } = createPool(2);
  await listen();
  children[0]!.end(137);
  await settle();
  assert.equal(running().length, 1);
  assert.deepEqual(pool.missing, [children[0]!.pid]);
  await clock.advance(400);
  assert.equal(running().length, 2);
  await listen();
  assert.deepEqual(pool.missing, []);
});

test("ProcessPool.replace() ends a process when the new one listens, one after the other", async () => {
  const { pool, children, running, listen } = createPool(2);
  await listen();
  pool.replace();
  await settle();
  assert.equal(running().length, 3, "the new one has not listened yet");
  assert.deepEqual(children[0]!.told, []);
  await listen();
  assert.deepEqual(children[0]!.told, ["leave"]);
  assert.deepEqual(children[1]!.told, []);
  await listen();
  assert.deepEqual(children[1]!.told, ["leave"]);
  assert.deepEqual(running(), [children[2], children[3]]);
});

test("ProcessPool.replace() during a restart pause replaces the restart", async () => {
  const { pool, clock, children, running, listen } = createPool(2);
  await listen();
  children[0]!.end(137);
  await settle();
  pool.replace();
  for (let turn = 0; turn < 4; turn++) await listen();
  await clock.advance(60_000);
  await listen();
  assert.equal(running().length, 2);
  assert.equal(children.length, 4);
});

test("ProcessPool.replace() keeps the processes if a new one does not start", async () => {
  const { pool, clock, children, running, listen } = createPool(2);
  await listen();
  pool.replace();
  await settle();
  children[2]!.end(1);
  await clock.advance(60_000);
  assert.deepEqual(running(), [children[0], children[1]]);
  pool.replace();
  await settle();
  await clock.advance(60_000);
  assert.deepEqual(children[3]!.told, ["kill"], "it never listened");
  assert.deepEqual(running(), [children[0], children[1]]);
});

test("ProcessPool.replace() during a replacement replaces all of them again after it", async () => {
  const { pool, children, running, listen } = createPool(2);
  await listen();
  pool.replace();
  await settle();
  pool.replace();
  pool.replace();
  for (let turn = 0; turn < 8; turn++) await listen();
  assert.equal(children.length, 6);
  assert.deepEqual(running(), [children[4], children[5]]);
});

test("ProcessPool.stop() stops every process, even a starting one, and ends with 0", async () => {
  const { pool, children, listen, status } = createPool(2);
  children[0]!.listen();
  await settle();
  pool.replace();
  await settle();
  pool.stop("SIGTERM");
  await settle();
  for (const { told } of children) assert.deepEqual(told, ["stop SIGTERM"]);
  assert.equal(status(), 0);
  await listen();
  assert.equal(children.length, 3);
});

test("ProcessPool.stop() while all processes are missing ends at once", async () => {
  const { pool, clock, children, listen, status } = createPool(2);
  await listen();
  for (const child of children) child.end(137);
  await settle();
  pool.stop("SIGTERM");
  await settle();
  assert.equal(status(), 0);
  await clock.advance(60_000);
  assert.equal(children.length, 2);
});

test("ProcessPool.stop() kills a process that does not end within its drain and 5 s", async () => {
  const { pool, clock, children, listen, status } = createPool(2, { obeys: false });
  await listen();
  pool.stop("SIGTERM");
  await clock.advance(DRAIN_MS + 4_000);
  assert.equal(status(), undefined);
  await clock.advance(1_000);
  assert.equal(status(), 137);
  for (const { told } of children) assert.deepEqual(told, ["stop SIGTERM", "kill"]);
});

test("ProcessPool.stop() a second time kills all, and the status is 130", async () => {
  const { pool, listen, status } = createPool(2, { obeys: false });
  await listen();
  pool.stop("SIGTERM");
  pool.stop("SIGINT");
  await settle();
  assert.equal(status(), 130);
});

test("ProcessPool ends with 1 if the first process ends because of a wrong setting", async () => {
  const { children, status } = createPool(2);
  children[0]!.end(1);
  await settle();
  assert.equal(status(), 1);
});

test("ProcessPool continues if a process ends with 1 later", async () => {
  const { clock, children, running, listen, status } = createPool(2);
  await listen();
  children[0]!.end(1);
  await settle();
  await clock.advance(400);
  assert.equal(status(), undefined);
  assert.equal(running().length, 2);
});

test("ProcessPool gives up after failed starts only if no other process listens", async () => {
  const one = createPool(2);
  await one.listen();
  for (let turn = 0; turn < 12; turn++) {
    one.running().find(({ state }) => state === "starting")?.end(70);
    await one.clock.advance(10_000);
  }
  assert.equal(one.status(), undefined, "the other one listens");

  const none = createPool(1);
  await none.listen();
  for (let turn = 0; turn < 12 && none.status() === undefined; turn++) {
    none.running()[0]?.end(70);
    await none.clock.advance(10_000);
  }
  assert.equal(none.status(), 70);
});

test("ProcessPool settles with all its processes and ends in time after any sequence of events", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("end"), which: fc.nat(4), status: fc.constantFrom(1, 70, 137) }),
    fc.record({ kind: fc.constant("listen"), which: fc.nat(4) }),
    fc.record({ kind: fc.constant("wait"), ms: fc.constantFrom(10, 300, 2_000) }),
    fc.record({ kind: fc.constant("replace") }),
    fc.record({ kind: fc.constant("settle") }),
  );
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 3 }),
    fc.boolean(),
    fc.array(step, { maxLength: 25 }),
    fc.boolean(),
    async (count, obeys, steps, isAtRest) => {
      const { pool, clock, running, status, listen } = createPool(count, { obeys });
      await listen();
      for (const each of steps) {
        if (status() !== undefined) break;
        const child = "which" in each ? running()[each.which] : undefined;
        if (each.kind === "end" && "status" in each) child?.end(each.status);
        if (each.kind === "listen") child?.listen();
        if (each.kind === "wait" && "ms" in each) await clock.advance(each.ms);
        if (each.kind === "replace") pool.replace();
        if (each.kind === "settle") await settle();
        assert.ok(running().length <= count + 1, `${running().length} of ${count}`);
      }
      if (isAtRest && status() === undefined) {
        for (let turn = 0; turn < 12; turn++) {
          await listen();
          await clock.advance(10_000);
        }
        assert.equal(running().length, count);
      }
      pool.stop("SIGTERM");
      await clock.advance(END_MS);
      assert.notEqual(status(), undefined);
      assert.deepEqual(running(), []);
      assert.equal(clock.pending, 0);
    },
  );
  await fc.assert(property, { numRuns: 100 });
});
