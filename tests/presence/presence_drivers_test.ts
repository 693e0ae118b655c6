import { test } from "node:test";
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { ChannelLayer } from "@sluice/sluice/layers";
import { KvChannelLayer } from "@sluice/sluice/layers/kv";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { Presence } from "@sluice/sluice/presence";
import { FakeConnection } from "../support/fake_connection.ts";
import { eventually } from "../support/eventually.ts";
import { RedisServer, whyNoRedis } from "../support/redis/redis_server.ts";
import { DenoKeyValue } from "../../lib/kv/deno/mod.ts";

const skip = whyNoRedis() ?? false;
const VISITOR = fileURLToPath(new URL("../support/presence/visitor_process.ts", import.meta.url));

function presenceOver(layer: ChannelLayer): Presence<string> {
  return new Presence<string>(layer, {
    joined: (name) => ({ type: "joined", data: name }),
    left: (name) => ({ type: "left", data: name }),
  }, { heartbeatMs: 200, timeoutMs: 600 });
}

async function agree(create: () => ChannelLayer): Promise<void> {
  const layers = [create(), create(), create()];
  const [one, other, victim] = layers.map(presenceOver) as [
    Presence<string>,
    Presence<string>,
    Presence<string>,
  ];
  const enter = (presence: Presence<string>, name: string) =>
    presence.enter("room", { key: name, meta: name }, { connection: FakeConnection.open() });
  await enter(one, "ada");
  await enter(victim, "linus");
  await enter(victim, "ada");
  assert.deepEqual(await enter(other, "grace"), ["ada", "linus", "grace"]);
  await eventually(() => assert.deepEqual(one.list("room"), ["ada", "linus", "grace"]));
  await layers[2]!.close(); // without a goodbye
  for (const presence of [one, other]) {
    await eventually(() => assert.deepEqual(presence.list("room"), ["ada", "grace"]));
  }
  await one.close();
  await eventually(() => assert.deepEqual(other.list("room"), ["grace"]));
  for (const layer of layers) await layer.close();
}

test("Presence over Redis: processes agree, also after one falls silent", { skip }, async () => {
  await using server = await RedisServer.start();
  await agree(() => new RedisChannelLayer(server.url));
});

test("Presence over Deno KV: processes agree, also after one falls silent", async () => {
  using kv = await Deno.openKv(":memory:");
  // Stands for a server: the layer's pending work keeps no process alive.
  const alive = setInterval(() => {}, 1_000);
  await agree(() => new KvChannelLayer(new DenoKeyValue(kv), { pollMs: 20 }));
  clearInterval(alive);
});

test(
  "Presence over Redis: the users of a killed process are removed elsewhere",
  { skip },
  async () => {
    await using server = await RedisServer.start();
    const layer = new RedisChannelLayer(server.url, { prefix: "killed" });
    const presence = presenceOver(layer);
    await presence.enter("room", { key: "ada", meta: "ada" }, {
      connection: FakeConnection.open(),
    });
    const names = Array.from({ length: 200 }, (_, n) => `member-${n}`);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", VISITOR, server.url, "killed", "ada", ...names],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    await child.stdout.pipeThrough(new TextDecoderStream()).values().next();
    await eventually(() => assert.equal(presence.list("room").length, 201));
    child.kill("SIGKILL");
    await child.status;
    await eventually(() => assert.deepEqual(presence.list("room"), ["ada"]));
    await layer.close();
  },
);

test(
  "Presence over Redis: an outage announces no leaves, and updates continue after it",
  { skip },
  async () => {
    await using server = await RedisServer.start();
    const layers = [1, 2].map(() => new RedisChannelLayer(server.url));
    const [one, other] = layers.map(presenceOver) as [Presence<string>, Presence<string>];
    const told: string[] = [];
    const channel = layers[0]!.newChannel();
    layers[0]!.attach(channel, { deliver: ({ type, data }) => told.push(`${type} ${data}`) > 0 });
    await layers[0]!.groupAdd("room", channel);
    const enter = (presence: Presence<string>, name: string) =>
      presence.enter("room", { key: name, meta: name }, { connection: FakeConnection.open() });
    await enter(one, "ada");
    await enter(other, "grace");
    await eventually(() => assert.deepEqual(one.list("room"), ["ada", "grace"]));
    await server.kill();
    await enter(other, "linus");
    await eventually(async () => await assert.rejects(layers[0]!.check()));
    assert.deepEqual(one.list("room"), ["ada", "grace"]);
    await server.restart();
    await eventually(() => assert.deepEqual(one.list("room"), ["ada", "grace", "linus"]));
    assert.deepEqual(told, ["joined ada", "joined grace", "joined linus"]);
    for (const layer of layers) await layer.close();
  },
);
