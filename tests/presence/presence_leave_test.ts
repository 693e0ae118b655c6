import { test } from "node:test";
import assert from "node:assert/strict";
import { MemoryChannelLayer } from "@sluice/sluice/layers";
import { Presence } from "@sluice/sluice/presence";
import { settle } from "@sluice/sluice/testing";
import { FakeConnection } from "../support/fake_connection.ts";
import { startProcesses } from "../support/presence/presence_process.ts";

test("Presence.leave() removes a socket from one of its two rooms", async () => {
  const { processes: [one, other] } = startProcesses(2);
  await other!.enter("grace");
  const connection = FakeConnection.open();
  await one!.enter("ada", { connection });
  await one!.enter("ada", { connection, group: "elsewhere" });
  assert.equal(connection.listeners, 1);
  await one!.presence.leave("room", { key: "ada" }, { connection });
  await settle();
  for (const { people, presence, told } of [one!, other!]) {
    assert.deepEqual(people, ["grace"]);
    assert.deepEqual(presence.list("elsewhere"), ["ada"]);
    assert.equal(told.filter((line) => line === "left ada").length, 1);
  }
  connection.end(1000);
  await settle();
  for (const { presence, told } of [one!, other!]) {
    assert.deepEqual(presence.list("elsewhere"), []);
    assert.equal(told.filter((line) => line === "left ada").length, 1);
  }
});

test("Presence.leave() removes the end listener with the last room", async () => {
  const { processes: [one] } = startProcesses(1);
  const connection = FakeConnection.open();
  for (const group of ["room", "elsewhere"]) await one!.enter("ada", { connection, group });
  for (const group of ["room", "elsewhere"]) {
    assert.equal(connection.listeners, 1);
    await one!.presence.leave(group, { key: "ada" }, { connection });
  }
  assert.equal(connection.listeners, 0);
});

test("Presence.leave() keeps a user with another tab in this or another process", async () => {
  const { processes: [one, other] } = startProcesses(2);
  const tabs = [await one!.enter("ada"), await one!.enter("ada"), await other!.enter("ada")];
  for (const [index, process] of [one!, one!, other!].entries()) {
    assert.deepEqual(one!.people, ["ada"]);
    await process.presence.leave("room", { key: "ada" }, { connection: tabs[index]! });
    await settle();
  }
  for (const { people, told } of [one!, other!]) {
    assert.deepEqual(people, []);
    assert.equal(told.filter((line) => line.startsWith("left")).length, 1);
  }
});

test("Presence.leave() has no effect for a socket that did not enter, or left before", async () => {
  const { processes: [one] } = startProcesses(1);
  const connection = await one!.enter("ada");
  await one!.presence.leave("room", { key: "ada" }, { connection: FakeConnection.open() });
  await one!.presence.leave("elsewhere", { key: "ada" }, { connection });
  await one!.presence.leave("room", { key: "grace" }, { connection });
  assert.deepEqual(one!.people, ["ada"]);
  for (let n = 0; n < 2; n++) await one!.presence.leave("room", { key: "ada" }, { connection });
  assert.deepEqual(one!.told, ["joined ada", "left ada"]);
  await one!.enter("ada", { connection });
  assert.deepEqual(one!.people, ["ada"]);
});

test("Presence.leave() takes effect right after an enter() that was not awaited", async () => {
  const { processes: [one] } = startProcesses(2);
  const connection = FakeConnection.open();
  const member = { key: "ada", meta: "ada" };
  const entering = one!.presence.enter("room", member, { connection });
  await one!.presence.leave("room", member, { connection });
  await entering;
  assert.deepEqual(one!.people, []);
});

test("Presence.leave() skips the leave delay, and keeps the delays of other users", async () => {
  const { clock, processes: [one] } = startProcesses(1);
  const tab = await one!.enter("ada");
  const gone = await one!.enter("grace");
  gone.end(1006);
  await one!.presence.leave("room", { key: "ada" }, { connection: tab });
  assert.deepEqual(one!.people, ["grace"]);
  await clock.advance(2_000);
  assert.deepEqual(one!.people, []);
});

test("Presence.update() notifies all processes, and keeps one end listener after 1,000 calls", async () => {
  const { processes: [one, other] } = startProcesses(2);
  await other!.enter("grace");
  const connection = FakeConnection.open();
  await one!.enter("ada", { connection });
  for (let n = 1; n <= 1_000; n++) {
    assert.equal(await one!.presence.update("room", { key: "ada", meta: `ada ${n}` }), true);
  }
  await settle();
  assert.equal(connection.listeners, 1);
  for (const { people, told } of [one!, other!]) {
    assert.deepEqual(people, ["ada 1000", "grace"]);
    assert.equal(told.filter((line) => line === "joined ada").length, 1);
    assert.equal(told.at(-1), "updated ada 1000");
  }
});

test("Presence.enter() keeps one end listener after 1,000 calls with one socket", async () => {
  const { processes: [one] } = startProcesses(1);
  const connection = FakeConnection.open();
  for (let n = 0; n < 1_000; n++) {
    const member = { key: "ada", meta: `ada ${n}` };
    await one!.presence.enter("room", member, { connection });
  }
  assert.equal(connection.listeners, 1);
  connection.end(1000);
  await settle();
  assert.deepEqual(one!.people, []);
});

test("Presence.update() returns false for an absent user, and sends unchanged meta once", async () => {
  const { processes: [one, other] } = startProcesses(2);
  await other!.enter("grace");
  assert.equal(await one!.presence.update("room", { key: "grace", meta: "x" }), false);
  assert.equal(await one!.presence.update("elsewhere", { key: "ada", meta: "x" }), false);
  await one!.enter("ada");
  assert.equal(await one!.presence.update("room", { key: "ada", meta: "ada" }), true);
  assert.equal(await one!.presence.update("room", { key: "ada", meta: "Ada" }), true);
  assert.deepEqual(one!.told.filter((line) => line.startsWith("updated")), ["updated Ada"]);
  assert.deepEqual(one!.people, ["Ada", "grace"]);
});

test("Presence.update() replaces an earlier entry of a process with a fast clock", async () => {
  const { clock, start, processes: [one] } = startProcesses(1);
  await one!.enter("ada", { meta: "said behind" });
  clock.setBack(-3_600_000);
  const ahead = start();
  await ahead.enter("ada", { meta: "said ahead" });
  clock.setBack(3_600_000);
  await one!.presence.update("room", { key: "ada", meta: "said last" });
  await settle();
  for (const { people } of [one!, ahead]) assert.deepEqual(people, ["said last"]);
});

test("Presence.leave() and update() skip the channel except, as enter() does", async () => {
  const { processes: [one] } = startProcesses(1);
  const { layer } = one!.node;
  const told: string[] = [];
  const except = layer.newChannel();
  layer.attach(except, { deliver: ({ type }) => told.push(type) > 0 });
  await layer.groupAdd("room", except);
  const connection = await one!.enter("ada");
  await one!.presence.update("room", { key: "ada", meta: "Ada" }, { except });
  await one!.presence.leave("room", { key: "ada" }, { connection, except });
  assert.deepEqual(told, ["joined"]);
  assert.deepEqual(one!.told, ["joined ada", "updated Ada", "left Ada"]);
});

test("Presence works over a memory layer: enter, update and leave", async () => {
  const told: string[] = [];
  const layer = new MemoryChannelLayer();
  layer.attach("listener", { deliver: ({ type, data }) => told.push(`${type} ${data}`) > 0 });
  await layer.groupAdd("room", "listener");
  const presence = new Presence<string>(layer, {
    joined: (name) => ({ type: "joined", data: name }),
    left: (name) => ({ type: "left", data: name }),
    updated: (name) => ({ type: "updated", data: name }),
  });
  const connection = FakeConnection.open();
  await presence.enter("room", { key: "1", meta: "ada" }, { connection });
  await presence.update("room", { key: "1", meta: "Ada" });
  await presence.leave("room", { key: "1" }, { connection });
  assert.deepEqual(presence.list("room"), []);
  assert.deepEqual(told, ["joined ada", "updated Ada", "left Ada"]);
});

test("Presence.listen() learns of users elsewhere before anyone enters here", async () => {
  const { processes: [one, other] } = startProcesses(2);
  await one!.enter("ada");
  assert.deepEqual(other!.presence.list("room"), []);
  await other!.presence.listen();
  await settle();
  assert.deepEqual(other!.presence.list("room"), ["ada"]);
  await one!.enter("grace");
  await settle();
  assert.deepEqual(other!.presence.list("room"), ["ada", "grace"]);
});
