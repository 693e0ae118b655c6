import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { LayerInbox } from "../../../lib/testing/layers/layer_inbox.ts";
import { eventually } from "../../support/eventually.ts";
import { RedisCluster } from "../../support/redis/redis_cluster.ts";
import { whyNoRedis } from "../../support/redis/redis_server.ts";

const skip = whyNoRedis() ?? false;
const options = { skip, timeout: 60_000 };
const GROUPS = 2_000;

let cluster: RedisCluster;

before(async () => {
  if (!skip) cluster = await RedisCluster.start(2);
});
after(() => cluster?.[Symbol.asyncDispose]());

interface Room {
  readonly group: string;
  readonly inbox: LayerInbox;
  /** Whether `groupAdd()` resolved. */
  isIn: boolean;
}

/** Joins many groups, a few per turn of the event loop, while connections open. */
async function joinRooms(layer: RedisChannelLayer): Promise<Room[]> {
  await layer.check();
  const rooms: Room[] = [];
  const joins: Promise<void>[] = [];
  while (rooms.length < GROUPS) {
    const room = { group: `room-${rooms.length}`, inbox: new LayerInbox(), isIn: false };
    const channel = layer.newChannel();
    layer.attach(channel, room.inbox);
    joins.push(layer.groupAdd(room.group, channel).then(() => void (room.isIn = true), () => {}));
    if (rooms.push(room) % 2 === 0) await setImmediate();
  }
  await Promise.all(joins);
  return rooms;
}

/** Sends one message to each room, and retries refused ones; resolves when all were accepted. */
async function sendToAll(layer: RedisChannelLayer, rooms: Room[], type: string): Promise<void> {
  for (let first = 0; first < rooms.length; first += 100) {
    await Promise.all(
      rooms.slice(first, first + 100).map(({ group }) =>
        eventually(() => layer.groupSend(group, { type }), 15_000)
      ),
    );
  }
}

function deaf(rooms: readonly Room[], type: string): string[] {
  return rooms.filter(({ inbox }) => !inbox.types.includes(type)).map(({ group }) => group);
}

test(
  "RedisChannelLayer receives from every group joined while connections to a cluster open",
  options,
  async () => {
    const prefix = crypto.randomUUID();
    const layer = new RedisChannelLayer(cluster.url, { prefix, timeoutMs: 10_000 });
    const other = new RedisChannelLayer(cluster.url, { prefix, timeoutMs: 10_000 });
    const rooms = await joinRooms(layer);
    assert.equal(rooms.filter(({ isIn }) => !isIn).length, 0);
    await sendToAll(other, rooms, "far");
    await eventually(() => assert.deepEqual(deaf(rooms, "far"), []));
    await sendToAll(layer, rooms, "near");
    assert.deepEqual(deaf(rooms, "near"), []);
    await layer.close();
    await other.close();
  },
);

test("RedisChannelLayer receives from every group joined while slots move", options, async () => {
  const prefix = crypto.randomUUID();
  const layer = new RedisChannelLayer(cluster.url, { prefix, timeoutMs: 10_000 });
  const other = new RedisChannelLayer(cluster.url, { prefix, timeoutMs: 10_000 });
  let isMoving = true;
  const moving = (async () => {
    for (let index = 0; isMoving; index++) {
      const name = `{g:room-${index % GROUPS}}`;
      const owner = await cluster.ownerOf(name);
      await cluster.migrate(name, cluster.primaries.find((node) => node !== owner)!);
    }
  })();
  const rooms = (await joinRooms(layer)).filter(({ isIn }) => isIn);
  // A call settles within its limit even while its slot is migrating.
  const sent = await Promise.all(
    rooms.map(({ group }) =>
      layer.groupSend(group, { type: "moving" }).then(() => true, () => false)
    ),
  );
  assert.ok(sent.filter(Boolean).length > 0);
  isMoving = false;
  await moving;
  await sendToAll(other, rooms, "far");
  await eventually(async () => {
    const missing = deaf(rooms, "far");
    // Messages sent during a gap are lost, so they are sent again.
    if (missing.length > 0) {
      await Promise.all(missing.map((group) => other.groupSend(group, { type: "far" })));
    }
    assert.deepEqual(deaf(rooms, "far"), []);
  });
  await sendToAll(layer, rooms, "near");
  assert.deepEqual(deaf(rooms, "near"), []);
  await layer.close();
  await other.close();
});
