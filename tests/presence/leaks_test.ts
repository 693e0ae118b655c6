import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import assert from "node:assert/strict";
import type { Connection } from "@sluice/sluice/consumers";
import { SharedRateLimiter, SharedSocketCounter } from "@sluice/sluice/security";
import { FaultyLayer, settle } from "@sluice/sluice/testing";
import { SessionNotices } from "../../app/auth/session_notices.ts";
import { FakeConnection } from "../support/fake_connection.ts";
import { startProcesses } from "../support/presence/presence_process.ts";
import { silent } from "../support/silent_log.ts";

const RealMap = Map, RealSet = Set;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Counts the entries of all live maps and sets that are created until it is disposed. */
function countEntries() {
  const all: WeakRef<{ readonly size: number }>[] = [];
  globalThis.Map = class<K, V> extends RealMap<K, V> {
    constructor(entries?: Iterable<readonly [K, V]> | null) {
      super(entries);
      all.push(new WeakRef(this));
    }
  } as MapConstructor;
  globalThis.Set = class<T> extends RealSet<T> {
    constructor(values?: Iterable<T> | null) {
      super(values);
      all.push(new WeakRef(this));
    }
  } as SetConstructor;
  return {
    async entries() {
      await settle(); // A reference that was read in this turn keeps its map.
      collectGarbage();
      return all.reduce((sum, entry) => sum + (entry.deref()?.size ?? 0), 0);
    },
    [Symbol.dispose]() {
      globalThis.Map = RealMap;
      globalThis.Set = RealSet;
    },
  };
}

const ROUNDS = 1_000;

async function system() {
  const { clock, processes: [one, other] } = startProcesses(2);
  await one!.enter("ada");
  await other!.enter("grace");
  const { layer, clock: time } = one!.node;
  const sockets = new SharedSocketCounter(layer, { clock: time });
  const rates = new SharedRateLimiter(layer, { clock: time, perMinute: 60, controlGroup: "rates" });
  const faulty = new FaultyLayer();
  faulty.fault = "unavailable";
  const notices = new SessionNotices(faulty, { clock: time, log: silent });
  rates.take("first");
  const joining = sockets.join();
  await clock.advance(1_000);
  await joining;
  return { clock, one: one!, other: other!, layer, sockets, rates, notices, faulty };
}

type System = Awaited<ReturnType<typeof system>>;

function open(): { connection: Connection; fake: FakeConnection } {
  const fake = new FakeConnection();
  fake.accept();
  return { connection: fake as unknown as Connection, fake };
}

const operations: [what: string, work: (system: System, n: number) => Promise<FakeConnection>][] = [
  ["enter() with an entry that is refused", async ({ one }, n) => {
    const { connection, fake } = open();
    const member = { key: `${n}`, meta: new Date(n) };
    await assert.rejects(one.presence.enter("room", member, { connection }));
    return fake;
  }],
  ["enter() on a socket that ended meanwhile", async ({ one }, n) => {
    const { connection, fake } = open();
    const entering = one.presence.enter("room", { key: `${n}`, meta: n }, { connection });
    fake.end(1000);
    await entering;
    return fake;
  }],
  ["enter() and leave() while the layer is away", async ({ one }, n) => {
    const { connection, fake } = open();
    const [group, member] = [`room ${n}`, { key: `${n}`, meta: n }];
    one.node.cut();
    await one.presence.enter(group, member, { connection });
    await one.presence.leave(group, member, { connection });
    return fake;
  }],
  ["enter() and a broken socket while the layer is away", async ({ one }, n) => {
    const { connection, fake } = open();
    one.node.cut();
    await one.presence.enter("room", { key: `${n}`, meta: n }, { connection });
    fake.end(1006);
    return fake;
  }],
  ["leave() and update() of an absent user", async ({ one }, n) => {
    const { connection, fake } = open();
    await one.presence.leave(`room ${n}`, { key: `${n}` }, { connection });
    await one.presence.update(`room ${n}`, { key: `${n}`, meta: n });
    return fake;
  }],
  ["socket counts while the layer is away", async ({ one, sockets }, n) => {
    const { fake } = open();
    one.node.cut();
    const release = await sockets.take(`user ${n}`, 1);
    release!();
    return fake;
  }],
  ["sessions pages whose groupAdd() fails", async ({ notices }, n) => {
    const { fake } = open();
    await assert.rejects(notices.watch(`user ${n}`, () => {}));
    return fake;
  }],
];

for (const [what, work] of operations) {
  test(`1,000 times ${what}: every listener, timer and map entry is removed`, async () => {
    using counter = countEntries();
    const parts = await system();
    const { clock, one, layer } = parts;
    await clock.advance(20_000);
    const before = {
      entries: await counter.entries(),
      timers: clock.pending,
      stats: sizes(layer.stats),
    };
    const sockets: FakeConnection[] = [];
    for (let n = 0; n < ROUNDS; n++) sockets.push(await work(parts, n));
    one.node.mend();
    await settle();
    await clock.advance(20_000);
    assert.equal(listenersOf(sockets.filter(({ phase }) => phase !== "ended")), 0);
    // A few may remain: a failed call may be waiting for its next attempt.
    const slack = 12;
    const entries = await counter.entries();
    assert.ok(entries <= before.entries + slack + listenersOf(sockets), `${entries} entries`);
    assert.ok(clock.pending <= before.timers + slack, `${clock.pending} timers`);
    assert.deepEqual(sizes(layer.stats), before.stats);
    assert.deepEqual(sizes(parts.faulty.stats), { channels: 0, groups: 0, waitingSize: 0 });
    assert.deepEqual(one.people, ["ada", "grace"]);
  });
}

/** A fake keeps its listeners after it ends. */
function listenersOf(sockets: readonly FakeConnection[]): number {
  return sockets.reduce((sum, { listeners }) => sum + listeners, 0);
}

function sizes({ channels, groups, waitingSize }: System["layer"]["stats"]) {
  return { channels, groups, waitingSize };
}

test("SharedRateLimiter drops 1,000 unsent takes of a hanging layer once they are earned back", async () => {
  using counter = countEntries();
  const { clock, one, rates } = await system();
  const before = { entries: await counter.entries(), timers: clock.pending };
  one.node.gate = new Promise(() => {});
  for (let n = 0; n < ROUNDS; n++) rates.take(`192.0.2.${n}`);
  await clock.advance(90_000);
  one.node.gate = undefined;
  one.node.mend();
  await clock.advance(20_000);
  // The buckets themselves stay, up to `maxKeys`.
  const entries = await counter.entries();
  assert.ok(entries <= before.entries + ROUNDS + 12, `${entries} entries`);
  assert.ok(clock.pending <= before.timers + 4, `${clock.pending} timers`);
});

test("Presence.close() removes every timer and listener during any operation", async () => {
  const { clock, processes: [one, other] } = startProcesses(2);
  await other!.enter("grace");
  const before = clock.pending;
  const { connection, fake } = open();
  await one!.presence.enter("room", { key: "ada", meta: "ada" }, { connection });
  const broken = open();
  await one!.presence.enter("room", { key: "zoe", meta: "zoe" }, broken);
  broken.fake.end(1006);
  await one!.presence.close();
  fake.end(1006);
  await one!.presence.enter("room", { key: "late", meta: "late" }, open());
  await clock.advance(20_000);
  assert.ok(clock.pending <= before, `${clock.pending} timers`);
});
