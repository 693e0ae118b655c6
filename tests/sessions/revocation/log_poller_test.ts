import assert from "node:assert/strict";
import { test } from "node:test";
import { type SessionEvent, Sessions } from "../../../lib/sessions/mod.ts";
import type { ControlLog, ControlPage } from "../../../lib/sessions/revocation/control_log.ts";
import { KvControlLog } from "../../../lib/sessions/revocation/kv_control_log.ts";
import { KvSessionStore } from "../../../lib/sessions/kv_session_store.ts";
import { LogPoller } from "../../../lib/sessions/revocation/log_poller.ts";
import { FakeClock, settle } from "../../../lib/testing/fake_clock.ts";
import { FakeConnection } from "../../support/fake_connection.ts";
import { FakeLog } from "../../support/fake_log.ts";
import { listAll, MemoryKeyValue } from "../../../lib/kv/mod.ts";

/** A log in memory that can lose entries, hang and fail. */
class FakeControlLog implements ControlLog {
  events: SessionEvent[] = [];
  forgotten = 0;
  reads = 0;
  /** Reads wait for this promise. */
  gate: Promise<void> | undefined;
  fails = false;
  /** Reads fail from this one on. */
  failsAfter = Infinity;
  pageSize = Infinity;

  async read(after: number | undefined): Promise<ControlPage> {
    this.reads++;
    if (this.reads > this.failsAfter) throw new Error("the log is down");
    const end = this.events.length;
    const position = after === undefined ? end : Math.min(end, after + this.pageSize);
    const page = {
      events: after === undefined ? [] : this.events.slice(after, position),
      position,
      hasMore: position < end,
      isComplete: after !== undefined && after >= this.forgotten,
    };
    await this.gate;
    if (this.fails) throw new Error("the log is down");
    return page;
  }
  append(event: SessionEvent): Promise<void> {
    this.events.push(event);
    return Promise.resolve();
  }

  onCommit(): () => void {
    return () => {};
  }
}

function setUp() {
  const clock = new FakeClock();
  const log = new FakeLog();
  const controlLog = new FakeControlLog();
  const applied: SessionEvent[] = [];
  let revalidations = 0;
  const follower = new LogPoller(controlLog, {
    apply: (event) => void applied.push(event),
    revalidate: () => Promise.resolve(void revalidations++),
  }, { clock, log });
  return { clock, log, controlLog, applied, follower, revalidations: () => revalidations };
}

const event: SessionEvent = { type: "user-changed", userId: "ada" };

test("LogPoller applies an entry within 250 ms", async () => {
  const { clock, controlLog, applied, follower } = setUp();
  follower.start();
  await clock.advance(1000);
  await controlLog.append(event);
  await clock.advance(250);
  assert.deepEqual(applied, [event]);
});

test("LogPoller reads within milliseconds if the log notices a new entry, and only while started", async () => {
  const { clock, controlLog, applied, follower } = setUp();
  const listeners = new Set<() => void>();
  const hinting = Object.assign(controlLog, {
    onAppend: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  });
  follower.start();
  await clock.advance(250);
  await hinting.append(event);
  for (const listener of listeners) listener();
  await clock.advance(10);
  assert.deepEqual(applied, [event]);
  follower.stop();
  assert.equal(listeners.size, 0);
});

test("LogPoller revalidates once at its first start only", async () => {
  const { clock, follower, revalidations } = setUp();
  follower.start();
  await clock.advance(5000);
  assert.equal(revalidations(), 1);
});

test("LogPoller reads at most five times a second, and never while stopped", async () => {
  const { clock, controlLog, follower } = setUp();
  follower.start();
  await clock.advance(10_000);
  assert.ok(controlLog.reads <= 51, `${controlLog.reads} reads in 10 s`);
  follower.stop();
  const { reads } = controlLog;
  await clock.advance(10_000);
  assert.equal(controlLog.reads, reads);
  assert.equal(clock.pending, 0);
});

test("LogPoller resumes at its position after a stop", async () => {
  const { clock, controlLog, applied, follower, revalidations } = setUp();
  follower.start();
  await clock.advance(1000);
  follower.stop();
  await controlLog.append(event);
  await clock.advance(60_000);
  follower.start();
  await clock.advance(0);
  assert.deepEqual(applied, [event]);
  assert.equal(revalidations(), 1);
});

test("LogPoller revalidates if its position has expired", async () => {
  const { clock, controlLog, follower, revalidations } = setUp();
  follower.start();
  await clock.advance(1000);
  await controlLog.append(event);
  await controlLog.append(event);
  controlLog.forgotten = 1;
  await clock.advance(250);
  assert.equal(revalidations(), 2);
});

test("LogPoller recovers from an unreadable log, and misses nothing", async () => {
  const { clock, controlLog, applied, follower, log } = setUp();
  follower.start();
  await clock.advance(1000);
  controlLog.fails = true;
  await clock.advance(5000);
  await controlLog.append(event);
  assert.equal(follower.isStale, false);
  controlLog.fails = false;
  await clock.advance(400);
  assert.deepEqual(applied, [event]);
  assert.equal(log.text.match(/cannot be read/g)?.length, 1);
});

test("LogPoller continues after an event that cannot be applied", async () => {
  const clock = new FakeClock();
  const controlLog = new FakeControlLog();
  const applied: SessionEvent[] = [];
  const follower = new LogPoller(controlLog, {
    apply(event) {
      applied.push(event);
      if (applied.length === 1) throw new Error("a bug");
    },
    revalidate: () => Promise.resolve(),
  }, { clock, log: new FakeLog() });
  follower.start();
  await clock.advance(300);
  await controlLog.append(event);
  await controlLog.append(event);
  await clock.advance(300);
  assert.equal(applied.length, 2);
});

test("LogPoller is stale after a pause until it has read the entries written meanwhile", async () => {
  const { clock, controlLog, applied, follower } = setUp();
  follower.start();
  await clock.advance(1000);
  await controlLog.append(event);
  clock.pause(20_000);
  assert.equal(follower.isStale, true);
  let knew = 0;
  follower.whenFresh(() => knew = applied.length);
  await clock.advance(0);
  assert.equal(follower.isStale, false);
  assert.equal(knew, 1);
});

test("LogPoller is stale after a pause until all pages of missed entries are applied", async () => {
  await using kv = new MemoryKeyValue();
  const clock = new FakeClock();
  const controlLog = new KvControlLog(kv);
  let gate = Promise.resolve();
  let applied = 0;
  const follower = new LogPoller(
    {
      read: async (after) => {
        const page = await controlLog.read(after);
        await gate;
        return page;
      },
      append: (event) => controlLog.append(event),
      onCommit: (listener) => controlLog.onCommit(listener),
    },
    { apply: () => void applied++, revalidate: () => Promise.resolve() },
    {
      clock,
      log: new FakeLog(),
    },
  );
  follower.start();
  await pass(clock, 500);
  for (let count = 0; count < 1_100; count++) await controlLog.append(event);
  clock.pause(20_000);
  let knew = 0;
  follower.whenFresh(() => knew = applied);
  for (const page of [500, 1_000, 1_100]) {
    assert.equal(follower.isStale, true);
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    await pass(clock, 50);
    assert.equal(knew, 0);
    resolve();
    gate = Promise.withResolvers<void>().promise;
    await pass(clock, 0);
    assert.equal(applied, page);
  }
  assert.deepEqual([follower.isStale, knew], [false, 1_100]);
});

test("LogPoller stays stale after a pause while the log cannot be read", async () => {
  const { clock, controlLog, applied, follower } = setUp();
  follower.start();
  await clock.advance(1000);
  await controlLog.append(event);
  controlLog.fails = true;
  clock.pause(20_000);
  let knew = 0;
  follower.whenFresh(() => knew = applied.length);
  await clock.advance(3_000);
  assert.deepEqual([follower.isStale, knew], [true, 0]);
  controlLog.fails = false;
  await clock.advance(400);
  assert.deepEqual([follower.isStale, knew], [false, 1]);
});

test("LogPoller stays stale if the log cannot be read beyond its first page", async () => {
  const { clock, controlLog, follower } = setUp();
  follower.start();
  await clock.advance(1000);
  for (let count = 0; count < 6; count++) await controlLog.append(event);
  clock.pause(20_000);
  controlLog.pageSize = 5;
  controlLog.failsAfter = controlLog.reads + 1;
  await clock.advance(3_000);
  assert.equal(follower.isStale, true);
  controlLog.failsAfter = Infinity;
  await clock.advance(400);
  assert.equal(follower.isStale, false);
});

test("LogPoller does not count a read from before a pause as fresh", async () => {
  const { clock, controlLog, follower } = setUp();
  follower.start();
  await clock.advance(1000);
  const gate = Promise.withResolvers<void>();
  controlLog.gate = gate.promise;
  await clock.advance(200);
  clock.pause(20_000);
  controlLog.gate = Promise.withResolvers<void>().promise;
  gate.resolve();
  await settle();
  assert.equal(follower.isStale, true);
});

test("Sessions of processes on one database end each other's connections within 250 ms", async () => {
  await using kv = new MemoryKeyValue();
  const clock = new FakeClock();
  const processes = [1, 2, 3].map(() => {
    const controlLog = new KvControlLog(kv);
    const store = new KvSessionStore(kv, { clock, controlLog });
    return new Sessions(store, { clock, controlLog, log: new FakeLog() });
  });
  const opened = await Promise.all(
    ["ada", "grace", "linus"].map((userId) => processes[0]!.create({ userId, provider: "dev" })),
  );
  const sockets = opened.map(({ session }) =>
    processes.flatMap((process) =>
      Array.from({ length: 10 }, () => {
        const socket = new FakeConnection();
        process.connections.subscribe(session.id, socket);
        process.connections.track(session);
        socket.accept();
        return socket;
      })
    )
  );
  await pass(clock, 500);
  await processes[1]!.end(opened[0]!.session.id, "revoked");
  await pass(clock, 250);
  assert.ok(sockets[0]!.every((socket) => socket.ended?.code === 4401));
  assert.ok(sockets.slice(1).flat().every((socket) => socket.phase === "open"));
});

test("Sessions ends only sessions that ended while its log position expired", async () => {
  await using kv = new MemoryKeyValue();
  const clock = new FakeClock();
  const open = () => {
    const controlLog = new KvControlLog(kv);
    const store = new KvSessionStore(kv, { clock, controlLog });
    return new Sessions(store, { clock, controlLog, log: new FakeLog() });
  };
  const [here, there] = [open(), open()];
  const opened = await Promise.all(
    Array.from({ length: 250 }, (_, n) => there.create({ userId: `u${n}`, provider: "dev" })),
  );
  const sockets = opened.map(({ session }) => {
    const socket = new FakeConnection();
    here.connections.subscribe(session.id, socket);
    here.connections.track(session);
    socket.accept();
    return socket;
  });
  await pass(clock, 500);
  for (const { session } of opened.slice(0, 120)) await there.end(session.id, "signed-out");
  for await (const { key } of listAll(kv, { prefix: ["control_log"] })) await kv.delete(key);
  await pass(clock, 250);
  assert.ok(sockets.slice(0, 120).every((socket) => socket.ended?.code === 4401));
  assert.ok(sockets.slice(120).every((socket) => socket.phase === "open"));
});

/** Advances the clock, and lets a real database answer in between. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 50) {
    await clock.advance(50);
    for (let turn = 0; turn < 12; turn++) await settle();
  }
  for (let turn = 0; turn < 20; turn++) await settle();
}

for (
  const [what, wallMs, elapsedMs] of [
    ["whose wall clock is set back meanwhile", -3_600_000 + 5_000, 5_000],
    ["whose machine is suspended, so that no time elapses", 5_000, 0],
  ] as const
) {
  test(`LogPoller is stale after a pause ${what}`, async () => {
    const { clock, follower } = setUp();
    follower.start();
    await clock.advance(1000);
    assert.equal(follower.isStale, false);
    clock.pause(elapsedMs);
    clock.setBack(elapsedMs - wallMs);
    assert.equal(follower.isStale, true);
    assert.equal(follower.isCaughtUp, false);
  });
}
