import { after, before, beforeEach, test } from "node:test";
import assert from "node:assert/strict";
import type { ChannelLayer } from "@sluice/sluice/layers";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { slotOf } from "../../../lib/redis/redis_slots.ts";
import { LayerInbox } from "../../../lib/testing/layers/layer_inbox.ts";
import { eventually } from "../../support/eventually.ts";
import { RedisCluster } from "../../support/redis/redis_cluster.ts";
import { whyNoRedis } from "../../support/redis/redis_server.ts";
import { assertAllTold, Traffic } from "../../support/layers/traffic.ts";

const skip = whyNoRedis() ?? false;
const options = { skip, timeout: 60_000 };
const HELLO = { type: "hello" };

let cluster: RedisCluster;
let prefix = "";

before(async () => {
  if (!skip) cluster = await RedisCluster.start(3, 1);
});
beforeEach(() => {
  prefix = crypto.randomUUID();
});
after(() => cluster?.[Symbol.asyncDispose]());

function layer(): RedisChannelLayer {
  // Longer than any delay of a busy machine, which is not under test.
  return new RedisChannelLayer(cluster.url, { prefix, timeoutMs: 10_000 });
}

async function join(layer: ChannelLayer, group: string): Promise<LayerInbox> {
  const inbox = new LayerInbox();
  const channel = layer.newChannel();
  layer.attach(channel, inbox);
  await layer.groupAdd(group, channel);
  return inbox;
}

/** Returns a name whose slot is on the first primary at the start. */
function nameAtFirst(kind: "g" | "c", start = 0): string {
  for (let n = start;; n++) if (slotOf(`{${kind}:${n}}`) < 5_000) return `${n}`;
}

/** Returns the received numbers of `Traffic`. */
function numbersOf({ messages }: LayerInbox): unknown[] {
  return messages.filter(({ type }) => type === "n").map(({ data }) => data);
}

/** Sends until it arrives everywhere. */
async function arrives(from: ChannelLayer, group: string, inboxes: LayerInbox[]): Promise<void> {
  const type = crypto.randomUUID();
  await eventually(async () => {
    const { processes } = await from.groupSend(group, { type });
    assert.equal(processes, 1);
  }, 15_000);
  for (const inbox of inboxes) await inbox.until(() => inbox.types.includes(type));
}

test("slotOf() computes the same slot as Redis", options, async () => {
  const [node] = cluster.primaries;
  const names = [
    "",
    "a",
    "123456789",
    "{a}b",
    "a{b}c",
    "{}a",
    "a{",
    "a{b",
    "é{ü}",
    "{a}{b}",
    "}{a}",
  ];
  for (const name of names) {
    assert.equal(slotOf(name), await node!.ask("CLUSTER", "KEYSLOT", name), name);
  }
});

test("RedisChannelLayer finds a cluster from one reachable node of its list", options, async () => {
  const { port } = cluster.primaries[1]!;
  const one = new RedisChannelLayer(`redis://127.0.0.1:1,127.0.0.1:${port}`, { prefix });
  await eventually(() => one.check());
  const inboxes = await Promise.all(["a", "b", "c", "d", "e"].map((group) => join(one, group)));
  for (const group of ["a", "b", "c", "d", "e"]) await one.groupSend(group, HELLO);
  for (const { types } of inboxes) assert.deepEqual(types, ["hello"]);
  await one.close();
});

test(
  "RedisChannelLayer reports a gap for messages lost or late while a slot moves under load",
  options,
  async () => {
    const [one, other] = [layer(), layer()];
    const group = nameAtFirst("g");
    const near = await join(one, group);
    const far = await join(other, group);
    // A stored member, so that the slot has a key to migrate.
    await one.groupAdd(group, "jobs");
    const traffic = Traffic.toGroup(one, group);
    const more = () => near.wait(near.messages.length + 50).then(() => {});
    await more();
    await cluster.migrate(`{g:${group}}`, cluster.primaries[1]!, more);
    await more();
    await cluster.migrate(`{g:${group}}`, cluster.primaries[2]!, more);
    await more();
    const report = await traffic.stop();
    await arrives(one, group, [near, far]);
    for (const inbox of [near, far]) {
      assertAllTold(report, numbersOf(inbox), inbox.gaps);
      assert.ok(inbox.gaps.length > 0);
    }
    assert.ok(report.sent.length > 200);
    await one.close();
    await other.close();
  },
);

test(
  "RedisChannelLayer loses no message of a durable channel whose slot moves",
  options,
  async () => {
    const [one, other] = [layer(), layer()];
    const channel = nameAtFirst("c");
    const inbox = new LayerInbox();
    let number = 0;
    const send = async () => {
      for (let n = 0; n < 20; n++) await one.send(channel, { type: "n", data: number++ });
    };
    await send();
    await cluster.migrate(`{c:${channel}}`, cluster.primaries[1]!, send);
    await send();
    other.attach(channel, inbox);
    await cluster.migrate(`{c:${channel}}`, cluster.primaries[0]!, send);
    await send();
    await inbox.wait(number);
    assert.deepEqual(numbersOf(inbox), Array.from({ length: number }, (_, n) => n));
    await one.close();
    await other.close();
  },
);

test(
  "RedisChannelLayer recovers by itself when a replica takes over from a killed primary",
  options,
  async () => {
    const [one, other] = [layer(), layer()];
    const group = nameAtFirst("g");
    const [first] = cluster.primaries;
    await cluster.migrate(`{g:${group}}`, first!);
    const near = await join(one, group);
    const far = await join(other, group);
    const traffic = Traffic.toGroup(one, group);
    await near.wait(50);
    await first!.kill();
    await cluster.replicas[0]!.ask("CLUSTER", "FAILOVER", "TAKEOVER");
    await arrives(one, group, [near, far]);
    await near.wait(near.messages.length + 50);
    const report = await traffic.stop();
    await arrives(one, group, [near, far]);
    for (const inbox of [near, far]) assertAllTold(report, numbersOf(inbox), inbox.gaps);
    assert.ok(near.gaps.length >= 1 && far.gaps.length >= 1);
    assert.ok(report.refused > 0);
    await one.close();
    await other.close();
  },
);
