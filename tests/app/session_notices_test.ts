import { test } from "node:test";
import assert from "node:assert/strict";
import { type ChannelLayer, MemoryChannelLayer } from "@sluice/sluice/layers";
import { FakeClock, FaultyLayer } from "@sluice/sluice/testing";
import { SessionNotices } from "../../app/auth/session_notices.ts";
import { silent } from "../support/silent_log.ts";

function setUp(layer: ChannelLayer = new MemoryChannelLayer()) {
  const clock = new FakeClock();
  const told: string[] = [];
  const process = () => new SessionNotices(layer, { clock, log: silent });
  const watch = (notices: SessionNotices, userId: string, name = userId) =>
    notices.watch(userId, () => told.push(name));
  return { layer, clock, told, process, watch };
}

test("SessionNotices notifies exactly the watchers of a user, on every process", async () => {
  const { clock, told, process, watch } = setUp();
  const [here, there] = [process(), process()];
  await watch(here, "ada", "ada, here");
  await watch(there, "ada", "ada, there");
  await watch(there, "grace");
  here.tell("ada");
  await clock.advance(100);
  assert.deepEqual(told.toSorted(), ["ada, here", "ada, there"]);
});

test("SessionNotices sends at most ten messages a second, and only to processes with watchers", async () => {
  const { layer, clock, told, process, watch } = setUp();
  const [here, there] = [process(), process()];
  const sent = () => layer.stats.sent;
  for (let socket = 0; socket < 1_000; socket++) here.tell(`user ${socket % 400}`);
  await clock.advance(100);
  assert.equal(layer.stats.delivered, 0);
  await watch(there, "user 7");
  const before = sent();
  for (let round = 0; round < 10; round++) {
    for (let socket = 0; socket < 1_000; socket++) here.tell(`user ${socket % 400}`);
    await clock.advance(100);
  }
  assert.equal(sent() - before, 10);
  assert.equal(told.length, 10);
});

test("SessionNotices splits many users into several messages", async () => {
  const { clock, told, process, watch } = setUp();
  const notices = process();
  for (const id of ["user 0", "user 1199"]) await watch(notices, id);
  for (let user = 0; user < 1_200; user++) notices.tell(`user ${user}`);
  await clock.advance(100);
  assert.deepEqual(told, ["user 0", "user 1199"]);
});

test("SessionNotices stops notifying a watcher that stops, and the last one leaves the group", async () => {
  const { layer, clock, told, process, watch } = setUp();
  const notices = process();
  const [first, second] = [
    await watch(notices, "ada", "first"),
    await watch(notices, "ada", "second"),
  ];
  first();
  notices.tell("ada");
  await clock.advance(100);
  assert.deepEqual(told, ["second"]);
  second();
  second();
  assert.equal(layer.stats.groups, 0);
  await watch(notices, "ada", "again");
  notices.tell("ada");
  await clock.advance(100);
  assert.deepEqual(told, ["second", "again"]);
});

test("SessionNotices notifies all watchers after a gap of the layer", async () => {
  const { told, process, watch } = setUp();
  const notices = process();
  for (const id of ["ada", "grace"]) await watch(notices, id);
  notices.gap();
  assert.deepEqual(told, ["ada", "grace"]);
});

test("SessionNotices.watch() leaves no watcher if the layer cannot be reached, and retries next time", async () => {
  const layer = new FaultyLayer();
  layer.fault = "unavailable";
  const { clock, told, process, watch } = setUp(layer);
  const notices = process();
  await assert.rejects(watch(notices, "ada"), { code: "UNAVAILABLE" });
  layer.fault = undefined;
  await watch(notices, "grace");
  for (const id of ["ada", "grace"]) notices.tell(id);
  await clock.advance(100);
  assert.deepEqual(told, ["grace"]);
});

test("SessionNotices ignores malformed messages, and reads the valid ids of a list", async () => {
  const { layer, told, process, watch } = setUp();
  await watch(process(), "ada");
  const odd: unknown[] = [undefined, null, 7, "ada", {}, { length: 1, 0: "ada" }, [], [[]], [null]];
  for (const data of odd) {
    await layer.groupSend("sessions.changed", { type: "changed", data });
  }
  await layer.groupSend("sessions.changed", { type: "other", data: ["ada"] });
  assert.deepEqual(told, []);
  const data = [null, 7, {}, "__proto__", "ada"];
  await layer.groupSend("sessions.changed", { type: "changed", data });
  assert.deepEqual(told, ["ada"]);
});

test("SessionNotices notifies the other pages if one of them throws", async () => {
  const { layer, told, process, watch } = setUp();
  const notices = process();
  await notices.watch("ada", () => {
    throw new Error("page");
  });
  await watch(notices, "ada");
  await layer.groupSend("sessions.changed", { type: "changed", data: ["ada"] });
  notices.gap();
  assert.deepEqual(told, ["ada", "ada"]);
});
