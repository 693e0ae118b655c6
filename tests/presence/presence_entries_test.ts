import { test } from "node:test";
import assert from "node:assert/strict";
import { Presence, PresenceError } from "@sluice/sluice/presence";
import { settle } from "@sluice/sluice/testing";
import { internalsOf } from "../../lib/core/internals.ts";
import { FakeConnection } from "../support/fake_connection.ts";
import { type PresenceProcess, startProcesses } from "../support/presence/presence_process.ts";

const cycle: Record<string, unknown> = {};
cycle.self = cycle;
const throwing = Object.defineProperty({}, "name", {
  enumerable: true,
  get() {
    throw new Error("no name");
  },
});

const notPlain: [what: string, meta: unknown][] = [
  ["undefined", undefined],
  ["a Date", { since: new Date(0) }],
  ["an invalid Date", { since: new Date(NaN) }],
  ["a cycle", cycle],
  ["a BigInt", { id: 1n }],
  ["a function", { name: () => "ada" }],
  ["a toJSON() of its own", { name: "ada", toJSON: () => "ada" }],
  ["a symbol", { name: Symbol("ada") }],
  ["a symbol as a key", { [Symbol("name")]: "ada" }],
  ["undefined in an array", { roles: ["admin", undefined] }],
  ["a hole in an array", { roles: new Array(2) }],
  ["NaN", { x: NaN }],
  ["an infinite number", { x: -Infinity }],
  ["a Map", { roles: new Map() }],
  ["bytes", { picture: new Uint8Array(4) }],
  ["a class instance", { user: new (class User {})() }],
  ["a boxed string", { name: Object("ada") }],
  ["a getter that throws", throwing],
  ["a revoked proxy", revoked()],
  ["65 levels", deep(65)],
];

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function deep(levels: number): unknown {
  let value: unknown = "bottom";
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

for (const [what, meta] of notPlain) {
  test(`Presence.enter() and update() reject meta with ${what}, and others stay visible`, async () => {
    const { clock, processes: [one, other], start } = startProcesses(2);
    await other!.enter("grace");
    await one!.enter("ada");
    const connection = FakeConnection.open();
    const isRefused = (error: unknown) =>
      error instanceof PresenceError && error.code === "INVALID_ENTRY";
    const entering = one!.presence.enter("room", { key: "bad", meta }, { connection });
    await assert.rejects(entering, isRefused);
    await assert.rejects(one!.presence.update("room", { key: "ada", meta }), isRefused);
    await one!.enter("linus");
    await clock.advance(5_000);
    const fresh = start();
    await fresh.enter("zoe");
    await clock.advance(5_000);
    for (const { people, warnings } of [one!, other!, fresh]) {
      assert.deepEqual(people, ["ada", "grace", "linus", "zoe"]);
      assert.deepEqual(warnings, []);
    }
  });
}

test("Presence.enter() names the path of a value that JSON does not preserve", async () => {
  const { processes: [one] } = startProcesses(1);
  await assert.rejects(
    one!.enter("ada", { meta: { born: new Date(0) } }),
    { message: "Cannot enter: meta.born is a Date, but only plain data can be sent" },
  );
});

test("Presence.enter() rejects a key that is not a string", async () => {
  const { processes: [one] } = startProcesses(1);
  for (const key of [1, null, undefined, {}]) {
    await assert.rejects(one!.enter(key as string, { meta: "x" }), { code: "INVALID_ENTRY" });
  }
  assert.deepEqual(one!.people, []);
});

test("Presence.enter() accepts no deeper meta than other processes can receive", async () => {
  const { processes: [one, other] } = startProcesses(2);
  await other!.enter("grace");
  let taken = 0;
  for (let levels = 1; levels <= 70; levels++) {
    await one!.enter(`${levels}`, { meta: deep(levels) }).then(() => taken++, () => {});
  }
  assert.ok(taken > 50);
  assert.equal(other!.people.length, 1 + taken);
});

test("Presence.enter() measures an entry as JSON in UTF-8 against maxEntryBytes", async () => {
  const { processes: [one, other] } = startProcesses(2, { maxEntryBytes: 100 });
  await other!.enter("grace");
  const bytes = (meta: unknown) =>
    new TextEncoder().encode(JSON.stringify(["room", "ada", meta])).length;
  for (const character of ["x", "ü", "😀", "\n", "\u0000", "\ud800"]) {
    const most = Math.floor((100 - bytes("")) / (bytes(character) - bytes("")));
    await one!.enter("ada", { meta: character.repeat(most) });
    const tooMuch = one!.enter("ada", { meta: character.repeat(most + 1) });
    await assert.rejects(tooMuch, { name: "PresenceError", code: "ENTRY_TOO_LARGE" });
    assert.deepEqual(other!.presence.list("room"), [character.repeat(most), "grace"]);
  }
  await assert.rejects(one!.enter("k".repeat(100), { meta: "" }), { code: "ENTRY_TOO_LARGE" });
});

test("Presence.enter() accepts 16 KiB by default, and never 2 MiB", async () => {
  const { processes: [one, other] } = startProcesses(2);
  await one!.enter("ada", { meta: "x".repeat(16_000) });
  await assert.rejects(one!.enter("eve", { meta: "x".repeat(2 ** 21) }), {
    code: "ENTRY_TOO_LARGE",
  });
  await other!.enter("grace");
  assert.equal(other!.people.length, 2);
  for (const maxEntryBytes of [0, NaN, 131_073]) {
    const { layer } = one!.node;
    const messages = { joined: () => ({ type: "j" }), left: () => ({ type: "l" }) };
    assert.throws(() => new Presence(layer, messages, { maxEntryBytes }), RangeError);
  }
});

test("Presence.list() returns copies that the application cannot change by accident", async () => {
  const { processes: [one, other] } = startProcesses(2);
  const meta = { name: "ada" };
  await other!.enter("grace");
  await one!.enter("ada", { meta });
  meta.name = "eve";
  for (const { presence } of [one!, other!]) {
    assert.deepEqual(presence.list("room")[0], { name: "ada" });
  }
});

test("an entry that the layer refuses does not affect other entries", async () => {
  const options = { layer: { maxMessageBytes: 2_000 } };
  const { clock, processes: [one, other], start } = startProcesses(2, options);
  await other!.enter("grace");
  await one!.enter("large", { meta: "x".repeat(3_000) });
  for (let n = 0; n < 100; n++) await one!.enter(`${n}`, { meta: `${n} ${"x".repeat(100)}` });
  const fresh = start();
  await fresh.enter("zoe");
  await clock.advance(5_000);
  for (const { people } of [other!, fresh]) assert.equal(people.length, 102);
  assert.ok(one!.presence.dropped > 0);
  assert.equal(one!.warnings.filter((line) => line.includes("was dropped")).length, 1);
});

const at = 1_750_000_000_000;
const badChanges: unknown[] = [
  undefined,
  null,
  "x",
  [],
  ["room", "x"],
  ["room", 1, null],
  ["room", "x", "y"],
  ["room", "x", undefined],
  ["room", "x", { meta: "x" }],
  ["room", "x", { meta: "x", since: at }],
  ["room", "x", { meta: "x", since: at, at: 1e300 }],
  ["room", "x", { meta: "x", since: -1, at }],
  ["room", "x", { meta: "x", since: `${at}`, at }],
  ["room", "x", { since: at, at }],
  ["room", "x", { meta: "x".repeat(20_000), since: at, at }],
].filter((change) => change !== undefined);

/** Sends a message as a process of another version, or an attacker, would. */
function forge(process: PresenceProcess, message: Record<string, unknown>): Promise<unknown> {
  const data = { from: "other.00!9", ...message };
  return internalsOf(process.node.layer).groupSend("presence", { type: "presence", data });
}

for (const kind of ["diff", "state"]) {
  test(`a ${kind} with unreadable entries still applies its readable ones`, async () => {
    const { processes: [one, other] } = startProcesses(2);
    await one!.enter("ada");
    await other!.enter("grace");
    const good = (key: string) => ["room", key, { meta: key, since: at, at }];
    const plain = badChanges.filter((change) => JSON.stringify(change) !== undefined)
      .filter((change) => !Array.isArray(change) || !change.includes(undefined));
    const changes = [good("before"), ...plain, good("after")];
    await forge(one!, { kind: "state", version: 1, part: 0, parts: 1, changes: [] });
    await forge(one!, { kind, version: 2, part: 0, parts: 1, changes });
    await settle();
    assert.deepEqual(other!.people, ["ada", "after", "before", "grace"]);
    assert.equal(other!.presence.dropped, plain.length);
    assert.equal(other!.warnings.length, 1);
  });
}

test("messages of processes that cannot be read are counted, and the first is logged", async () => {
  const { clock, processes: [one, other] } = startProcesses(2);
  await one!.enter("ada");
  await other!.enter("grace");
  const messages: Record<string, unknown>[] = [
    { kind: "beat" },
    { kind: "beat", version: -1 },
    { kind: "beat", version: 1.5 },
    { kind: "nosuch", version: 1 },
    { kind: "diff", version: 1, changes: { length: 1 } },
    { kind: "state", version: 1, part: 1, parts: 1, changes: [] },
    { kind: "state", version: 1, part: 0, parts: 1e9, changes: [] },
    { kind: "ask", from: "" },
    { kind: "ask", from: 1 },
    { kind: "ask", from: "x".repeat(1_000) },
  ];
  for (const message of messages) await forge(one!, message);
  await clock.advance(20_000);
  assert.equal(other!.presence.dropped, messages.length);
  assert.equal(other!.warnings.length, 1);
  for (const { people } of [one!, other!]) assert.deepEqual(people, ["ada", "grace"]);
});

test("a forged message with an empty or the own process name changes no users", async () => {
  const { processes: [one, other] } = startProcesses(2);
  await one!.enter("ada");
  await other!.enter("grace");
  for (const kind of ["diff", "state"]) {
    const changes = [["room", "grace", null], ["room", "ada", null]];
    await forge(one!, { from: "", kind, version: 1, part: 0, parts: 1, changes });
  }
  await settle();
  for (const { people } of [one!, other!]) assert.deepEqual(people, ["ada", "grace"]);
});

test("groups and keys with spaces are not confused with each other", async () => {
  const { clock, processes: [one, other] } = startProcesses(2);
  await other!.enter("grace");
  const member = (group: string, key: string) => [group, key, { meta: key, since: at, at }];
  const changes = [member("room", "x y"), member("room x", "y")];
  await forge(one!, { kind: "state", version: 1, part: 0, parts: 1, changes });
  await settle();
  assert.deepEqual(other!.people, ["grace", "x y"]);
  await clock.advance(20_000); // The process that was made up falls silent.
  assert.deepEqual(other!.people, ["grace"]);
  assert.deepEqual(other!.presence.list("room x"), []);
});

test("parts of two answers with the same version are not combined", async () => {
  const { processes: [one, other] } = startProcesses(2);
  await one!.enter("ada");
  await other!.enter("grace");
  const member = (key: string) => ["room", key, { meta: key, since: at, at }];
  const state = { kind: "state", version: 1, parts: 2 };
  await forge(one!, { ...state, answer: 1, part: 0, changes: [member("a"), member("b")] });
  await forge(one!, { ...state, answer: 2, part: 1, changes: [] });
  assert.deepEqual(other!.people, ["ada", "grace"]);
  await forge(one!, { ...state, answer: 2, part: 0, changes: [member("a"), member("c")] });
  await settle();
  assert.deepEqual(other!.people, ["a", "ada", "c", "grace"]);
});

for (const thrower of ["joined", "left", "updated"] as const) {
  test(`${thrower}() that throws is logged once, and other users are still announced`, async () => {
    const messages = {
      [thrower]: (meta: unknown) => {
        const { name } = meta as { name: string };
        return { type: thrower, data: name.toUpperCase() };
      },
    };
    const { clock, processes: [one, other] } = startProcesses(2, { messages });
    await one!.enter("ada", { meta: { name: "ada" } });
    await other!.enter("grace", { meta: { name: "grace" } });
    for (const key of ["x", "y"]) {
      const tab = await one!.enter(key, { meta: "of another version" });
      await one!.presence.update("room", { key, meta: null });
      tab.end(1000);
      await clock.advance(10);
    }
    const tab = await one!.enter("zoe", { meta: { name: "zoe" } });
    await one!.presence.update("room", { key: "zoe", meta: { name: "zoe z" } });
    tab.end(1000);
    await clock.advance(10);
    const expected = { joined: "joined ZOE", left: "left ZOE Z", updated: "updated ZOE Z" };
    for (const { told, warnings } of [one!, other!]) {
      assert.ok(told.includes(expected[thrower]), told.join(", "));
      assert.equal(warnings.filter((line) => line.includes(`${thrower}()`)).length, 1);
    }
  });
}
