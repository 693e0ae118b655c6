import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ChannelLayer } from "@sluice/sluice/layers";
import { KvChannelLayer } from "@sluice/sluice/layers/kv";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { Presence } from "@sluice/sluice/presence";
import { SharedRateLimiter, SharedSocketCounter } from "@sluice/sluice/security";
import { LayerInbox } from "../../lib/testing/layers/layer_inbox.ts";
import { internalsOf } from "../../lib/core/internals.ts";
import { FakeConnection } from "../support/fake_connection.ts";
import { Redis } from "ioredis";
import { eventually } from "../support/eventually.ts";
import { RedisCluster } from "../support/redis/redis_cluster.ts";
import { RedisServer, whyNoRedis } from "../support/redis/redis_server.ts";
import { DenoKeyValue } from "../../lib/kv/deno/mod.ts";

const skip = whyNoRedis() ?? false;
const options = { skip, timeout: 60_000 };
const KEY = "a secret of thirty-two characters or more";

let server: RedisServer;
let cluster: RedisCluster;

before(async () => {
  if (skip) return;
  [server, cluster] = await Promise.all([RedisServer.start(), RedisCluster.start(2)]);
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

async function join(layer: ChannelLayer, group = "g"): Promise<LayerInbox> {
  const inbox = new LayerInbox();
  const channel = layer.newChannel();
  layer.attach(channel, inbox);
  await layer.groupAdd(group, channel);
  return inbox;
}

const MESSAGES = { joined: () => ({ type: "joined" }), left: () => ({ type: "left" }) };

/** Asserts that no message of one system reaches the other. */
async function assertSeparate(one: ChannelLayer, other: ChannelLayer): Promise<void> {
  const [near, far] = [await join(one), await join(other)];
  await one.groupAdd("g", "jobs");
  const { queued } = await one.groupSend("g", { type: "one" });
  assert.equal(queued, 1);
  await other.groupSend("g", { type: "other" });
  await Promise.all([near.wait(1), far.wait(1)]);
  assert.deepEqual([near.types, far.types], [["one"], ["other"]]);
  await other.send("jobs", { type: "of other" });
  assert.equal((await other.receive("jobs")).type, "of other");
  assert.equal((await one.receive("jobs")).type, "one");

  const presences = [one, other].map((layer) => new Presence<string>(layer, MESSAGES));
  const connection = FakeConnection.open();
  await presences[0]!.enter("g", { key: "ada", meta: "ada" }, { connection });
  const there = await presences[1]!.enter("g", { key: "bob", meta: "bob" }, { connection });
  assert.deepEqual(there, ["bob"]);

  const counters = [one, other].map((layer) => new SharedSocketCounter(layer));
  await counters[0]!.take("ada", 1);
  assert.ok(await counters[1]!.take("ada", 1) !== undefined);
  const limiters = [one, other].map((layer) =>
    new SharedRateLimiter(layer, { perMinute: 1, burst: 1, controlGroup: "x", announceMs: 1 })
  );
  limiters[1]!.take("grace");
  limiters[0]!.take("ada");
  await one.groupSend("g", { type: "fence" });
  assert.equal(limiters[1]!.take("ada"), undefined);
  for (const limiter of limiters) limiter.close();
  await Promise.all([...presences, ...counters].map((part) => part.close()));
  await one.flush();
  assert.equal((await other.groupSend("g", { type: "after" })).delivered, 1);
  await one.close();
  await other.close();
}

const SYSTEMS: readonly [title: string, one: [string, string], other: [string, string]][] = [
  ["database numbers", ["", "a"], ["/1", "a"]],
  ["prefixes", ["/1", "a"], ["/1", "b"]],
  ["a prefix that ends like a number", ["", "a:1"], ["/1", "a"]],
];

for (const [title, one, other] of SYSTEMS) {
  for (const where of ["one Redis", "one cluster"]) {
    test(`RedisChannelLayer keeps systems on ${where} apart by ${title}`, options, async () => {
      const url = where === "one Redis" ? server.url : cluster.url;
      const run = crypto.randomUUID();
      const make = ([path, prefix]: [string, string]) =>
        new RedisChannelLayer(`${url}${path}`, { prefix: `${run}.${prefix}` });
      await assertSeparate(make(one), make(other));
    });
  }
}

test("KvChannelLayer keeps systems in one database apart by prefix", options, async () => {
  using kv = await Deno.openKv(":memory:");
  const [one, other] = ["a", "b"].map((prefix) =>
    new KvChannelLayer(new DenoKeyValue(kv), { prefix, pollMs: 10 })
  );
  await assertSeparate(one!, other!);
});

test("RedisChannelLayer keeps a group named presence separate", options, async () => {
  const prefix = crypto.randomUUID();
  const [one, other] = [1, 2].map(() => new RedisChannelLayer(server.url, { prefix }));
  const connection = FakeConnection.open();
  const groups = ["presence", "sluice.sessions", "sluice.sockets", "sluice.rates.handshakes"];
  const inboxes = await Promise.all(groups.map((group) => join(one!, group)));
  const presences = [one!, other!].map((layer) => new Presence<string>(layer, MESSAGES));
  await presences[0]!.enter("g", { key: "ada", meta: "ada" }, { connection });
  const there = await presences[1]!.enter("g", { key: "bob", meta: "bob" }, { connection });
  assert.deepEqual(there, ["ada", "bob"]);
  for (const group of groups) {
    await other!.groupSend(group, { type: "presence", data: { kind: "bye", from: "x" } });
  }
  await Promise.all(inboxes.map((inbox) => inbox.wait(1)));
  for (const { types } of inboxes) assert.deepEqual(types, ["presence"]);
  assert.deepEqual(presences[1]!.list("g"), ["ada", "bob"]);
  await Promise.all(presences.map((presence) => presence.close()));

  const inner = internalsOf(one!);
  const channel = inner.newChannel("presence");
  for (const name of [channel, "~presence"]) {
    await assert.rejects(one!.send(name, { type: "x" }), TypeError);
    await assert.rejects(one!.groupAdd("g", name), TypeError);
    await assert.rejects(one!.receive(name), TypeError);
    assert.throws(() => one!.attach(name, new LayerInbox()), TypeError);
  }
  await assert.rejects(one!.groupAdd("~presence", one!.newChannel()), TypeError);
  await assert.rejects(one!.groupSend("~presence", { type: "x" }), TypeError);
  await assert.rejects(
    inner.send("jobs", { type: "x" }),
    TypeError,
    "internal sends refuse an application's channel",
  );
  await one!.close();
  await other!.close();
});

test(
  "KvChannelLayer with keys hides messages from the database, and refuses moved and forged frames",
  options,
  async () => {
    using kv = await Deno.openKv(":memory:");
    const make = (encryptionKeys?: string[]) =>
      new KvChannelLayer(new DenoKeyValue(kv), {
        pollMs: 10,
        ...(encryptionKeys && { encryptionKeys }),
      });
    const [one, other, open] = [make([KEY]), make(["another " + KEY, KEY]), make()];
    const [near, far] = [await join(one), await join(other)];
    await one.groupSend("g", { type: "secret-word", data: "x".repeat(50_000) });
    await far.wait(1);
    await one.send("jobs", { type: "secret-word" });
    const entries = await Array.fromAsync(kv.list({ prefix: [] }));
    const all = entries.map(({ value }) =>
      value instanceof Uint8Array ? Buffer.from(value).toString() : JSON.stringify(value, replacer)
    );
    assert.ok(!all.join().includes("secret-word"));

    // A frame captured in one group and put into another, and a frame without a key.
    const moved = await join(other, "h");
    await one.groupSend("g", { type: "captured" });
    await far.wait(2);
    const head = (await kv.get<number>(["layer.sluice", "head"])).value!;
    const { value } = await kv.get<{ stored: unknown }>(["layer.sluice", "log", head]);
    await kv.set(["layer.sluice", "log", head + 1], { ...value, to: "g:h" });
    await kv.set(["layer.sluice", "head"], head + 1);
    await open.groupSend("h", { type: "forged" });
    await eventually(() => assert.equal(other.stats.dropped.malformed, 2));
    assert.deepEqual(moved.types, []);
    assert.equal(near.types.at(-1), "captured");
    for (const layer of [one, other, open]) await layer.close();
  },
);

test("RedisChannelLayer with keys refuses moved frames and forged members", options, async () => {
  const prefix = crypto.randomUUID();
  const make = (encryptionKeys: string[]) =>
    new RedisChannelLayer(server.url, { prefix, encryptionKeys });
  const next = `another ${KEY}`;
  const [one, other] = [make([KEY, next]), make([next, KEY])];
  const [near, far] = [await join(one, "g"), await join(other, "h")];
  const { promise, resolve } = Promise.withResolvers<string>();
  await spyOn(`${prefix}:0:{g:g}`, resolve);
  await one.groupSend("g", { type: "captured" });
  const captured = await promise;
  await server.ask("SPUBLISH", `${prefix}:0:{g:h}`, captured);
  const forged = [1, "a", null, "h", null, { type: "x" }];
  await server.ask("SPUBLISH", `${prefix}:0:{g:h}`, JSON.stringify(forged));
  await eventually(() => assert.equal(other.stats.dropped.malformed, 2));
  assert.deepEqual([near.types, far.types], [["captured"], []]);

  await one.groupAdd("g", "audit");
  await server.ask("ZADD", `${prefix}:0:{g:g}:members`, `${Date.now()}`, "jobs");
  assert.equal((await other.groupSend("g", { type: "2" })).queued, 1);
  assert.equal((await one.receive("audit")).type, "2");
  await other.groupDiscard("g", "audit");
  assert.equal((await one.groupSend("g", { type: "3" })).queued, 0);
  await one.close();
  await other.close();
});

/** Subscribes to a name like anyone with access to Redis. */
async function spyOn(name: string, heard: (text: string) => void): Promise<void> {
  const spy = new Redis(server.port);
  spy.on("smessage", (_name, text) => (heard(text), spy.disconnect()));
  await spy.ssubscribe(name);
}

function replacer(_key: string, value: unknown): unknown {
  return typeof value === "bigint" || value instanceof Deno.KvU64 ? String(value) : value;
}
