import { test } from "node:test";
import assert from "node:assert/strict";
import { MemoryChannelLayer } from "@sluice/sluice/layers";
import { Presence } from "@sluice/sluice/presence";
import { FakeConnection } from "../support/fake_connection.ts";

function room() {
  const layer = new MemoryChannelLayer();
  const told: string[] = [];
  layer.attach("listener", {
    deliver(message) {
      told.push(`${message.type} ${message.data}`);
      return true;
    },
  });
  const presence = new Presence<string>(layer, {
    joined: (meta) => ({ type: "joined", data: meta }),
    left: (meta) => ({ type: "left", data: meta }),
  });
  const enter = (key: string, connection = FakeConnection.open()) =>
    presence.enter("room", { key, meta: key }, { connection }).then((people) => ({
      people,
      connection,
    }));
  return { layer, told, presence, enter };
}

test("Presence announces a user with several connections once", async () => {
  const { layer, told, enter } = room();
  await layer.groupAdd("room", "listener");
  const first = await enter("ada");
  const second = await enter("ada");
  assert.deepEqual(second.people, ["ada"]);
  first.connection.end(1000);
  assert.deepEqual(told, ["joined ada"]);
  second.connection.end(1000);
  assert.deepEqual(told, ["joined ada", "left ada"]);
});

test("Presence lists users in the order in which they entered", async () => {
  const { presence, enter } = room();
  await enter("ada");
  await enter("grace");
  assert.deepEqual(presence.list("room"), ["ada", "grace"]);
  assert.deepEqual(presence.list("elsewhere"), []);
});

test("Presence ignores a connection that has already ended", async () => {
  const { layer, told, presence, enter } = room();
  await layer.groupAdd("room", "listener");
  const connection = FakeConnection.open();
  connection.end(1000);
  await enter("ada", connection);
  assert.deepEqual(presence.list("room"), []);
  assert.deepEqual(told, []);
});
