import { test } from "node:test";
import assert from "node:assert/strict";
import { SharedSocketCounter } from "@sluice/sluice/security";
import { settle } from "@sluice/sluice/testing";
import { startProcesses } from "../support/presence/presence_process.ts";

const never = new Promise<void>(() => {});

test("Presence removes a killed process within 10 s, even if the wall clock goes back", async () => {
  const { clock, processes: [one, victim] } = startProcesses(2);
  await one!.enter("ada");
  await victim!.enter("grace");
  clock.setBack(3_600_000);
  victim!.node.kill();
  await clock.advance(10_000);
  assert.deepEqual(one!.people, ["ada"]);
});

test("Presence announces no leaves when the wall clock jumps ahead", async () => {
  const { clock, processes: [one, other] } = startProcesses(2);
  await one!.enter("ada");
  await other!.enter("grace");
  clock.setBack(-3_600_000);
  await clock.advance(20_000);
  for (const { people, told } of [one!, other!]) {
    assert.deepEqual(people, ["ada", "grace"]);
    assert.ok(!told.some((line) => line.startsWith("left")));
  }
});

test("a layer call that never settles stops no heartbeat, and no user leaves", async () => {
  const { clock, processes: [one, other] } = startProcesses(2);
  await one!.enter("ada");
  await other!.enter("grace");
  one!.node.gate = never;
  await clock.advance(2_300); // One beat hangs.
  one!.node.gate = undefined;
  await clock.advance(120_000);
  for (const { people, told } of [one!, other!]) {
    assert.deepEqual(people, ["ada", "grace"]);
    assert.ok(!told.some((line) => line.startsWith("left")));
  }
});

test("a hanging layer has one pending call of each kind, and all processes agree afterwards", async () => {
  const { clock, processes: [one, other] } = startProcesses(2);
  await one!.enter("ada");
  await other!.enter("grace");
  const { published } = one!.node;
  const calls = () => one!.node.published - published;
  one!.node.gate = never;
  const tab = await one!.enter("linus");
  for (let n = 0; n < 100; n++) await one!.enter(`${n}`);
  assert.equal(calls(), 1);
  await clock.advance(60_000);
  assert.ok(calls() <= 2 + 60 / 3 * 2, `${calls()} calls in a minute`);
  one!.node.gate = undefined;
  tab.end(1000);
  await clock.advance(10_000);
  for (const { people } of [one!, other!]) assert.equal(people.length, 102);
});

test("Presence.enter(), leave() and update() settle in limited time if the layer never answers", async () => {
  const { clock, processes: [one] } = startProcesses(1);
  one!.node.gate = never;
  const settled: string[] = [];
  const entering = one!.enter("ada").then((connection) => {
    settled.push("entered");
    return one!.presence.update("room", { key: "ada", meta: "Ada" })
      .then(() => settled.push("updated"))
      .then(() => one!.presence.leave("room", { key: "ada" }, { connection }))
      .then(() => settled.push("left"));
  });
  for (let second = 0; second < 30; second++) await clock.advance(1_000);
  await entering;
  assert.deepEqual(settled, ["entered", "updated", "left"]);
  const closing = one!.presence.close();
  await clock.advance(3_000);
  await closing;
});

test("SharedSocketCounter continues heartbeats and sockets if a layer call never settles", async () => {
  const { clock, processes } = startProcesses(2);
  const [one, other] = processes.map(({ node }) =>
    new SharedSocketCounter(node.layer, { clock: node.clock })
  );
  const joining = Promise.all([one!.join(), other!.join()]);
  await clock.advance(600);
  await joining;
  await one!.take("user ada", 5);
  await clock.advance(600);
  assert.equal(other!.count("user ada"), 1);
  processes[0]!.node.gate = never;
  const taking = one!.take("user ada", 5);
  await clock.advance(2_300);
  processes[0]!.node.gate = undefined;
  await clock.advance(120_000);
  assert.ok(await taking);
  assert.equal(other!.count("user ada"), 2);
});

test("SharedSocketCounter drops a killed process even if the wall clock goes back", async () => {
  const { clock, processes } = startProcesses(2);
  const [one, victim] = processes.map(({ node }) =>
    new SharedSocketCounter(node.layer, { clock: node.clock })
  );
  const joining = Promise.all([one!.join(), victim!.join()]);
  await clock.advance(600);
  await joining;
  await victim!.take("user ada", 5);
  await clock.advance(600);
  assert.equal(one!.count("user ada"), 1);
  clock.setBack(3_600_000);
  processes[1]!.node.kill();
  await clock.advance(10_000);
  assert.equal(one!.count("user ada"), 0);
});

test("a process answers again after one of its answers hung", async () => {
  const { clock, processes: [one], start } = startProcesses(1);
  await one!.enter("ada");
  one!.node.gate = never;
  const fresh = start();
  const entering = fresh.enter("grace");
  await settle();
  await clock.advance(600);
  await entering;
  assert.deepEqual(fresh.people, ["grace"]);
  one!.node.gate = undefined;
  await clock.advance(10_000);
  await settle();
  assert.deepEqual(fresh.people, ["ada", "grace"]);
});
