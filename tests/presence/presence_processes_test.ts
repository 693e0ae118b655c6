import { test } from "node:test";
import assert from "node:assert/strict";
import { internalsOf } from "../../lib/core/internals.ts";
import fc from "fast-check";
import { Presence } from "@sluice/sluice/presence";
import type { PresenceOptions } from "../../lib/presence/presence_options.ts";
import { FakeClock, settle } from "@sluice/sluice/testing";
import { FakeConnection } from "../support/fake_connection.ts";
import { MemoryWire, type WireNode } from "../support/presence/memory_wire.ts";

type Tab = FakeConnection;

/** One process with a listener in the room. */
class Process {
  readonly node: WireNode;
  readonly presence: Presence<string>;
  /** The messages that members of the room in this process received. */
  readonly told: string[] = [];

  constructor(wire: MemoryWire, clock: FakeClock, options: PresenceOptions = {}) {
    this.node = wire.connect(clock);
    const { layer } = this.node;
    this.presence = new Presence<string>(layer, {
      joined: (name) => ({ type: "joined", data: name }),
      left: (name) => ({ type: "left", data: name }),
      updated: (name) => ({ type: "updated", data: name }),
    }, { clock: this.node.clock, ...options });
    const channel = layer.newChannel();
    layer.attach(channel, {
      deliver: (message) => this.told.push(`${message.type} ${message.data}`) > 0,
    });
    void layer.groupAdd("room", channel);
  }

  async enter(name: string, tab: Tab = FakeConnection.open(), group = "room"): Promise<Tab> {
    await this.presence.enter(group, { key: name, meta: name }, { connection: tab });
    await settle();
    return tab;
  }

  get people(): string[] {
    return [...this.presence.list("room")].sort();
  }
}

function system(count: number, options?: PresenceOptions) {
  const clock = new FakeClock();
  const wire = new MemoryWire();
  const start = () => new Process(wire, clock, options);
  return { clock, wire, start, processes: Array.from({ length: count }, start) };
}

test("Presence announces a user with several tabs and processes once per join and leave", async () => {
  const { processes } = system(3);
  const tabs: Tab[] = [];
  for (const process of processes) {
    tabs.push(await process.enter("ada"), await process.enter("ada"));
  }
  for (const { people } of processes) assert.deepEqual(people, ["ada"]);
  for (const tab of tabs) {
    tab.end(1000);
    await settle();
  }
  for (const { people, told } of processes) {
    assert.deepEqual(people, []);
    assert.deepEqual(told, told.includes("joined ada") ? ["joined ada", "left ada"] : ["left ada"]);
  }
  assert.deepEqual(processes[0]!.told, ["joined ada", "left ada"]);
});

test("Presence.enter() in a new process lists all users in the order in which they entered", async () => {
  const { clock, processes: [one, other], start } = system(2);
  await one!.enter("zoe");
  await clock.advance(1);
  await other!.enter("ada");
  await clock.advance(1);
  await one!.enter("linus");
  await clock.advance(1);
  const fresh = start();
  const people = await fresh.presence.enter("room", { key: "grace", meta: "grace" }, {
    connection: FakeConnection.open(),
  });
  assert.deepEqual(people, ["zoe", "ada", "linus", "grace"]);
});

test("Presence does not announce users that the first list of a new process contains", async () => {
  const { clock, processes: [one], start } = system(1);
  await one!.enter("ada");
  await clock.advance(1);
  await one!.enter("linus");
  const fresh = start();
  await fresh.enter("grace");
  assert.deepEqual(fresh.people, ["ada", "grace", "linus"]);
  assert.deepEqual(fresh.told, ["joined grace"]);
  await one!.enter("zoe");
  assert.deepEqual(fresh.told, ["joined grace", "joined zoe"]);
});

test("Presence announces no leave in any process when a page reloads", async () => {
  const { clock, processes: [one, other] } = system(2);
  const tab = await one!.enter("ada");
  await other!.enter("grace");
  tab.end(1001);
  await clock.advance(1_900);
  await one!.enter("ada");
  await clock.advance(10_000);
  assert.ok(!one!.told.includes("left ada") && !other!.told.includes("left ada"));
});

test("Presence announces no leave when a user reconnects to another process", async () => {
  const { clock, processes: [one, other] } = system(2);
  await other!.enter("grace");
  const tab = await one!.enter("ada");
  tab.end(1006);
  await clock.advance(500);
  await other!.enter("ada");
  await clock.advance(10_000);
  for (const { told, people } of [one!, other!]) {
    assert.ok(!told.includes("left ada"));
    assert.deepEqual(people, ["ada", "grace"]);
  }
});

test("Presence announces a leave after the delay, or at once for a final close", async () => {
  const { clock, processes: [one, other] } = system(2);
  await other!.enter("grace");
  for (const code of [1001, 1006, 1012]) {
    const tab = await one!.enter("ada");
    tab.end(code);
    await clock.advance(1_999);
    assert.deepEqual(other!.people, ["ada", "grace"]);
    await clock.advance(1);
    assert.deepEqual(other!.people, ["grace"]);
  }
  for (const code of [1000, 1005, 4401, 4403]) {
    const tab = await one!.enter("ada");
    tab.end(code);
    await settle();
    assert.deepEqual(other!.people, ["grace"]);
  }
});

test("Presence shows the latest meta of a user in all processes", async () => {
  const { clock, processes: [one, other] } = system(2);
  const tab = await one!.enter("ada");
  await other!.enter("grace");
  await clock.advance(5);
  await other!.presence.enter("room", { key: "ada", meta: "Ada L." }, {
    connection: FakeConnection.open(),
  });
  await settle();
  assert.deepEqual(one!.presence.list("room"), ["Ada L.", "grace"]);
  assert.ok(one!.told.includes("updated Ada L.") && other!.told.includes("updated Ada L."));
  tab.end(1000);
  await settle();
  assert.ok(!one!.told.includes("left ada"));
});

test("Presence removes the users of a killed process within 10 s, with one leave for each", async () => {
  const { clock, processes } = system(3);
  const [one, other, victim] = processes as [Process, Process, Process];
  for (const process of processes) await process.enter("watcher");
  for (const { told } of processes) told.length = 0;
  const tabs = new Map<string, Set<Process>>();
  for (let n = 0; n < 1_000; n++) {
    const name = `member-${n}`;
    const homes = new Set<Process>();
    for (let tab = 0; tab < 2 + n % 4; tab++) {
      const home = processes[(n * 7 + tab * (1 + n % 3)) % 3]!;
      homes.add(home);
      await home.presence.enter("room", { key: name, meta: name }, {
        connection: FakeConnection.open(),
      });
    }
    tabs.set(name, homes);
  }
  await settle();
  for (const { people } of processes) assert.equal(people.length, 1_001);
  victim.node.kill();
  await clock.advance(10_000);
  const expected = [...tabs].filter(([, homes]) => homes.has(one) || homes.has(other));
  const gone = [...tabs].filter(([, homes]) => homes.size === 1 && homes.has(victim));
  assert.ok(gone.length > 100);
  for (const { people, told } of [one, other]) {
    assert.deepEqual(people, [...expected.map(([name]) => name), "watcher"].sort());
    const lefts = told.filter((line) => line.startsWith("left "));
    assert.deepEqual(lefts.sort(), gone.map(([name]) => `left ${name}`).sort());
    assert.equal(told.filter((line) => line.startsWith("joined ")).length, 1_000);
  }
});

test("a suspended process resumes without announcing leaves of the other processes' users", async () => {
  const { clock, processes: [one, other] } = system(2);
  await one!.enter("ada");
  await other!.enter("grace");
  other!.node.sleep();
  await clock.advance(10_000);
  assert.deepEqual(one!.people, ["ada"]);
  other!.node.wake();
  await clock.advance(3_000);
  assert.deepEqual(one!.people, ["ada", "grace"]);
  assert.deepEqual(other!.people, ["ada", "grace"]);
  assert.ok(!other!.told.includes("left ada"));
});

test("a resumed process that missed all messages waits for the others before it drops them", async () => {
  const { clock, processes: [one, other] } = system(2);
  await one!.enter("ada");
  await other!.enter("grace");
  other!.node.sleep();
  other!.node.loses = () => true;
  await clock.advance(10_000);
  other!.node.loses = () => false;
  other!.node.wake();
  await settle();
  await clock.advance(3_000);
  assert.deepEqual(other!.people, ["ada", "grace"]);
  assert.ok(!other!.told.includes("left ada"));
});

test("a process that is suspended during a heartbeat drops no users", async () => {
  const { clock, processes: [one, other] } = system(2);
  await one!.enter("ada");
  await other!.enter("grace");
  const { promise, resolve } = Promise.withResolvers<void>();
  other!.node.gate = promise;
  await clock.advance(2_300);
  other!.node.loses = () => true;
  await clock.advance(10_000);
  resolve();
  await settle();
  other!.node.loses = () => false;
  await clock.advance(3_000);
  assert.deepEqual(other!.people, ["ada", "grace"]);
  assert.ok(!other!.told.includes("left ada"));
});

test("a disconnected process keeps its list, and agrees with the others after it reconnects", async () => {
  const { clock, processes: [one, other] } = system(2);
  await one!.enter("ada");
  const tab = await one!.enter("linus");
  await other!.enter("grace");
  other!.node.cut();
  tab.end(1000);
  await other!.enter("zoe");
  await clock.advance(30_000);
  assert.deepEqual(one!.people, ["ada"]);
  assert.deepEqual(other!.people, ["ada", "grace", "linus", "zoe"]);
  other!.node.mend();
  await clock.advance(3_000);
  for (const { people } of [one!, other!]) assert.deepEqual(people, ["ada", "grace", "zoe"]);
  assert.deepEqual(other!.told.filter((line) => line.startsWith("left")), ["left linus"]);
});

test("a process that was disconnected without a gap notice drops no present users", async () => {
  const { clock, processes: [one, other] } = system(2);
  await one!.enter("ada");
  await other!.enter("grace");
  other!.node.cut();
  other!.node.loses = () => true;
  await clock.advance(30_000);
  other!.node.mend({ tell: false });
  await clock.advance(2_300); // its own beat comes before the others'
  other!.node.loses = () => false;
  await clock.advance(3_000);
  for (const { people } of [one!, other!]) assert.deepEqual(people, ["ada", "grace"]);
  assert.ok(!other!.told.includes("left ada"));
});

test("a process that starts without a layer lists its own users, and all users later", async () => {
  const { clock, processes: [one], start } = system(1);
  await one!.enter("ada");
  const late = start();
  late.node.cut();
  await late.enter("grace");
  assert.deepEqual(late.people, ["grace"]);
  late.node.mend();
  await clock.advance(5_000);
  for (const { people } of [one!, late]) assert.deepEqual(people, ["ada", "grace"]);
});

test("a lost change is recovered at the next heartbeat", async () => {
  const { clock, processes: [one, other] } = system(2);
  await one!.enter("ada");
  await other!.enter("grace");
  other!.node.loses = () => true;
  const tab = await one!.enter("linus");
  await one!.enter("zoe");
  tab.end(1000);
  await settle();
  other!.node.loses = () => false;
  assert.deepEqual(other!.people, ["ada", "grace"]);
  await clock.advance(3_000);
  assert.deepEqual(other!.people, ["ada", "grace", "zoe"]);
});

test("a lost change is recovered at the next change", async () => {
  const { processes: [one, other] } = system(2);
  await one!.enter("ada");
  await other!.enter("grace");
  other!.node.loses = () => true;
  await one!.enter("linus");
  other!.node.loses = () => false;
  await one!.enter("zoe");
  await settle();
  assert.deepEqual(other!.people, ["ada", "grace", "linus", "zoe"]);
});

test("users of a stopped process have time to reconnect to another one", async () => {
  const { clock, processes: [one, other] } = system(2);
  await other!.enter("grace");
  await one!.enter("ada");
  await one!.enter("linus");
  await one!.presence.close();
  one!.node.kill();
  await clock.advance(1_000);
  await other!.enter("ada");
  assert.deepEqual(other!.people, ["ada", "grace", "linus"]);
  await clock.advance(1_500);
  assert.deepEqual(other!.people, ["ada", "grace"]);
  assert.deepEqual(other!.told.filter((line) => line.startsWith("left")), ["left linus"]);
});

test("Presence accepts keys that are property names of Object", async () => {
  const { processes: [one, other] } = system(2);
  for (const name of ["__proto__", "constructor", "toString"]) await one!.enter(name);
  await other!.enter("hasOwnProperty");
  const expected = ["__proto__", "constructor", "hasOwnProperty", "toString"];
  for (const { people } of [one!, other!]) assert.deepEqual(people, expected);
});

test("Presence ignores invalid messages", async () => {
  const { clock, processes: [one, other] } = system(2);
  await one!.enter("ada");
  await other!.enter("grace");
  const from = "nobody.00!1";
  const garbage = [
    undefined,
    1,
    {},
    { kind: "beat" },
    { kind: "beat", from, version: "1" },
    { kind: "ask", from: "not a name" },
    { kind: "diff", from, version: 1, changes: [["room", "x"]] },
    { kind: "diff", from, version: 1, changes: [["room", 1, null]] },
    { kind: "state", from, version: 1, part: 0, parts: 1e9, changes: [] },
    { kind: "state", from, version: 1, part: -1, parts: 1, changes: [] },
    { kind: "state", from, version: 1, part: 0, parts: 1, changes: [["room", "x", { meta: 1 }]] },
    { kind: "bye", from },
  ];
  for (const data of garbage) {
    await internalsOf(one!.node.layer).groupSend("presence", { type: "presence", data });
  }
  await clock.advance(20_000);
  for (const { people } of [one!, other!]) assert.deepEqual(people, ["ada", "grace"]);
});

test("a state in many parts arrives completely", async () => {
  const { processes: [one], start } = system(1);
  const meta = "x".repeat(5_000);
  for (let n = 0; n < 300; n++) {
    await one!.presence.enter("room", { key: `${n}`, meta: `${n} ${meta}` }, {
      connection: FakeConnection.open(),
    });
  }
  const fresh = start();
  await fresh.enter("ada");
  assert.equal(fresh.people.length, 301);
});

const step = fc.oneof(
  fc.record({
    kind: fc.constant("enter" as const),
    at: fc.nat(2),
    name: fc.constantFrom(..."abcde"),
  }),
  fc.record({
    kind: fc.constant("end" as const),
    tab: fc.nat(20),
    code: fc.constantFrom(1000, 1001),
  }),
  fc.record({ kind: fc.constantFrom("sleep" as const, "cut" as const), at: fc.nat(2) }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(9_000) }),
);

test("all processes agree on the exact list after random joins, leaves and outages", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { clock, processes } = system(3);
      for (const process of processes) await process.enter(`home-${processes.indexOf(process)}`);
      const tabs: { tab: Tab; name: string }[] = [];
      const asleep = new Set<Process>();
      for (const step of steps) {
        if (step.kind === "pass") await clock.advance(step.ms);
        else if (step.kind === "end") tabs[step.tab]?.tab.end(step.code);
        else if (step.kind === "enter") {
          if (asleep.has(processes[step.at]!)) continue;
          tabs.push({ name: step.name, tab: await processes[step.at]!.enter(step.name) });
        } else if (step.kind === "cut") processes[step.at]!.node.cut();
        else {
          processes[step.at]!.node.sleep();
          asleep.add(processes[step.at]!);
        }
      }
      for (const { node } of processes) {
        node.wake();
        node.mend();
      }
      await settle();
      await clock.advance(10_000);
      const open = tabs.filter(({ tab }) => tab.phase !== "ended").map(({ name }) => name);
      const expected = [...new Set([...open, "home-0", "home-1", "home-2"])].sort();
      for (const { people } of processes) assert.deepEqual(people, expected);
    }),
    { numRuns: 60 },
  );
});
