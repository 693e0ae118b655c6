import { after, before, beforeEach, test } from "node:test";
import assert from "node:assert/strict";
import { systemClock } from "@sluice/sluice/server";
import type { ChannelLayer, LayerGap } from "@sluice/sluice/layers";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { LayerInbox } from "../../../lib/testing/layers/layer_inbox.ts";
import { eventually } from "../../support/eventually.ts";
import { RedisServer, whyNoRedis } from "../../support/redis/redis_server.ts";

const skip = whyNoRedis() ?? false;
const options = { skip, timeout: 30_000 };
const UNAVAILABLE = { code: "UNAVAILABLE" };
const HELLO = { type: "hello" };

let server: RedisServer;
let prefix = "";

before(async () => {
  if (!skip) server = await RedisServer.start();
});
beforeEach(() => {
  prefix = crypto.randomUUID();
});
after(() => server?.[Symbol.asyncDispose]());

/** Two processes with one member each in the group `g`. */
class Pair implements AsyncDisposable {
  readonly one = layer();
  readonly other = layer();
  readonly near = new LayerInbox();
  readonly far = new LayerInbox();

  static async create(): Promise<Pair> {
    const pair = new Pair();
    await join(pair.one, pair.near);
    await join(pair.other, pair.far);
    return pair;
  }

  /** Sends until a message reaches all members. */
  async recover(others = 1): Promise<void> {
    await eventually(async () => {
      assert.equal((await this.one.groupSend("g", { type: "back" })).processes, others);
    });
    await this.far.until(() => this.far.types.includes("back"));
    await this.near.until(() => this.near.types.includes("back"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.one.close();
    await this.other.close();
  }
}

function layer(options = {}): RedisChannelLayer {
  return new RedisChannelLayer(server.url, { prefix, ...options });
}

async function join(layer: ChannelLayer, inbox: LayerInbox, group = "g"): Promise<void> {
  const channel = layer.newChannel();
  layer.attach(channel, inbox);
  await layer.groupAdd(group, channel);
}

/** Fails if `work` takes longer than the timeout plus a margin. */
async function promptly(work: Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  await work;
  assert.ok(performance.now() - startedAt < 2_600);
}

test(
  "RedisChannelLayer rejects with UNAVAILABLE without Redis, and recovers",
  options,
  async () => {
    await server.kill();
    await using pair = new Pair();
    pair.one.attach("jobs", pair.near);
    await promptly(assert.rejects(pair.one.send("jobs", HELLO), UNAVAILABLE));
    for (let n = 0; n < 3; n++) {
      await promptly(assert.rejects(pair.one.groupSend("g", HELLO), UNAVAILABLE));
      await promptly(assert.rejects(join(pair.one, new LayerInbox()), UNAVAILABLE));
      await promptly(assert.rejects(pair.one.check(), UNAVAILABLE));
      await promptly(assert.rejects(pair.one.receive("other"), UNAVAILABLE));
    }
    assert.equal(pair.one.stats.groups, 0);
    await server.restart();
    await eventually(() => pair.one.send("jobs", { type: "late" }));
    await pair.near.wait(1);
    assert.deepEqual(pair.near.types, ["late"]);
  },
);

test(
  "RedisChannelLayer refuses calls at once after kill -9, reports gaps, and delivers nothing late",
  options,
  async () => {
    await using pair = await Pair.create();
    const gaps: LayerGap[] = [];
    pair.other.onGap((gap) => gaps.push(gap));
    const before = Date.now();
    const flying = Promise.allSettled(
      Array.from({ length: 500 }, (_, n) => pair.one.groupSend("g", { type: `${n}` })),
    );
    await server.kill();
    const outcomes = await flying;
    const taken = outcomes.filter(({ status }) => status === "fulfilled").length;
    assert.ok(taken <= pair.near.types.length + pair.one.stats.dropped.gap);
    for (let n = 0; n < 20; n++) {
      await promptly(assert.rejects(pair.one.groupSend("g", { type: "lost" }), UNAVAILABLE));
    }
    await server.restart();
    const restartedAt = performance.now();
    await pair.recover();
    assert.ok(performance.now() - restartedAt < 5_000);
    assert.equal(pair.near.gaps.length, 1);
    assert.equal(pair.far.gaps.length, 1);
    assert.deepEqual(gaps, pair.far.gaps);
    const [{ since, until }] = gaps as [LayerGap];
    assert.ok(before - 2_000 <= since && since < until && until <= Date.now());
    assert.equal(pair.other.stats.gaps, 1);
    assert.ok(!pair.far.types.includes("lost") && !pair.near.types.includes("lost"));
  },
);

test(
  "RedisChannelLayer rejects in time while Redis is paused, which then discards late messages",
  options,
  async () => {
    await using pair = await Pair.create();
    // Its timeout is long enough to stay connected until Redis resumes.
    const patient = layer({ timeoutMs: 60_000 });
    const inbox = new LayerInbox();
    await join(patient, inbox);
    server.pause();
    await promptly(Promise.all([
      assert.rejects(pair.one.groupSend("g", { type: "lost" }), UNAVAILABLE),
      assert.rejects(pair.one.send("jobs", { type: "lost" }), UNAVAILABLE),
    ]));
    await promptly(assert.rejects(pair.one.groupSend("g", { type: "lost" }), UNAVAILABLE));
    await promptly(assert.rejects(pair.other.check(), UNAVAILABLE));
    server.resume();
    await pair.recover(2);
    await inbox.until(() => inbox.types.includes("back"));
    await patient.close();
    for (const { types } of [inbox, pair.far, pair.near]) assert.ok(!types.includes("lost"));
    await pair.one.send("jobs", { type: "first" });
    assert.equal((await pair.other.receive("jobs")).type, "first");
  },
);

test("RedisChannelLayer rejects in time during CLIENT PAUSE, and recovers", options, async () => {
  await using pair = await Pair.create();
  await server.command("CLIENT PAUSE 3500 ALL");
  await promptly(assert.rejects(pair.one.groupSend("g", { type: "lost" }), UNAVAILABLE));
  await eventually(() => pair.recover(), 10_000);
  assert.ok(!pair.far.types.includes("lost"));
});

test(
  "RedisChannelLayer keeps serving live groups while the memory of Redis is full",
  options,
  async () => {
    await using pair = await Pair.create();
    await pair.one.send("jobs", { type: "1" });
    await server.command("CONFIG SET maxmemory 1");
    await assert.rejects(pair.one.send("jobs", { type: "lost" }), UNAVAILABLE);
    await assert.rejects(pair.one.groupAdd("g", "jobs"), UNAVAILABLE);
    assert.equal((await pair.one.groupSend("g", HELLO)).delivered, 1);
    await pair.far.wait(1);
    assert.equal((await pair.other.receive("jobs")).type, "1");
    await server.command("CONFIG SET maxmemory 0");
    await pair.one.send("jobs", { type: "2" });
    assert.equal((await pair.other.receive("jobs")).type, "2");
    assert.equal(pair.one.stats.gaps, 0);
  },
);

test("groupSend() counts an unreachable durable member as dropped", options, async () => {
  await using pair = await Pair.create();
  await pair.one.groupAdd("g", "jobs");
  await server.command("CONFIG SET maxmemory 1");
  const { delivered, dropped } = await pair.one.groupSend("g", HELLO);
  await server.command("CONFIG SET maxmemory 0");
  assert.deepEqual([delivered, dropped, pair.one.stats.dropped.gap], [1, 1, 1]);
});

test(
  "RedisChannelLayer restores all subscriptions after Redis closed the connection",
  options,
  async () => {
    await using pair = await Pair.create();
    const inboxes = await Promise.all(["h", "i", "j"].map(async (group) => {
      const inbox = new LayerInbox();
      await join(pair.other, inbox, group);
      return inbox;
    }));
    const reader = pair.other.receive("jobs");
    await server.command("CLIENT KILL TYPE pubsub");
    await pair.far.until(() => pair.far.gaps.length === 1);
    await eventually(async () => {
      for (const group of ["h", "i", "j"]) await pair.one.groupSend(group, HELLO);
      await pair.one.send("jobs", HELLO);
    });
    for (const inbox of inboxes) await inbox.wait(1);
    assert.deepEqual(await reader, HELLO);
  },
);

test("RedisChannelLayer reloads its scripts after SCRIPT FLUSH", options, async () => {
  await using pair = await Pair.create();
  await server.command("SCRIPT FLUSH");
  await pair.recover();
});

test(
  "RedisChannelLayer subscribes once per group, and unsubscribes with the last member",
  options,
  async () => {
    await using pair = new Pair();
    const name = `${prefix}:0:{g:g}`;
    const leaves = await Promise.all([1, 2, 3].map(async () => {
      const channel = pair.one.newChannel();
      const leave = pair.one.attach(channel, new LayerInbox());
      await pair.one.groupAdd("g", channel);
      return leave;
    }));
    assert.equal((await pair.other.groupSend("g", HELLO)).processes, 1);
    assert.equal(await server.command(`SPUBLISH ${name} x`), ":1");
    for (const leave of leaves) leave();
    await eventually(async () => assert.equal(await server.command(`SPUBLISH ${name} x`), ":0"));
  },
);

test("RedisChannelLayer counts and ignores malformed messages", options, async () => {
  await using pair = await Pair.create();
  const inbox = `${prefix}:0:{p:${pair.other.newChannel().match(/\.(\w+)!/)![1]}}`;
  const garbage = [
    "x",
    "[]",
    '[0,"a.1",null,"g",null,{"type":"old"}]',
    '[1,"a.1",null,"g",null,{"type":""}]',
    '[1,"a.1",null,"g",null,{"data":1}]',
    '[1,"a.1",{},"g",null,{"type":"x"}]',
    '[1,"a.1",null,"g",null,null]',
    '[1,"a.1",null,"g",null,{"__proto__":{"type":"x"}}]',
    '"[1"',
    "[".repeat(30_000),
  ];
  for (const text of garbage) {
    await server.command(`SPUBLISH ${prefix}:0:{g:g} ${quote(text)}`);
    await server.command(`SPUBLISH ${inbox} ${quote(text)}`);
  }
  await server.command(`SPUBLISH ${inbox} ${quote('[1,"a",".bad name!",null,null,{"type":"x"}]')}`);
  await pair.one.groupSend("g", HELLO);
  await pair.far.wait(1);
  assert.deepEqual(pair.far.types, ["hello"]);
  assert.equal(pair.other.stats.dropped.malformed, 2 * garbage.length + 1);
});

test("RedisChannelLayer counts garbage in a durable channel, and reads on", options, async () => {
  await using pair = await Pair.create();
  const queue = `${prefix}:0:{c:jobs}:queue`;
  await server.command(`HSET ${queue} m0 x m1 99999999999999:x tail 2`);
  await pair.one.send("jobs", HELLO);
  assert.deepEqual(await pair.other.receive("jobs"), HELLO);
  assert.equal(pair.other.stats.dropped.malformed, 1);
});

test(
  "RedisChannelLayer rejects only the sends to a queue key of another type",
  options,
  async () => {
    await using pair = await Pair.create();
    await server.command(`SET ${prefix}:0:{c:jobs}:queue x`);
    await assert.rejects(pair.one.send("jobs", HELLO), UNAVAILABLE);
    assert.equal((await pair.one.groupSend("g", HELLO)).delivered, 1);
  },
);

test(
  "RedisChannelLayer with keys hides messages from Redis, rotates keys, and ignores other keys",
  options,
  async () => {
    const [old, fresh, wrong] = ["o", "f", "w"].map((letter) => letter.repeat(32)) as [
      string,
      string,
      string,
    ];
    const layers = [[old], [old, fresh], [fresh, old], [wrong]].map((encryptionKeys) =>
      layer({ encryptionKeys })
    );
    const inboxes = layers.map(() => new LayerInbox());
    for (const [index, layer] of layers.entries()) await join(layer, inboxes[index]!);
    await layers[0]!.groupSend("g", { type: "by-old" });
    await layers[2]!.groupSend("g", { type: "by-fresh" });
    await Promise.all([inboxes[0]!.wait(1), inboxes[1]!.wait(2), inboxes[2]!.wait(2)]);
    assert.deepEqual(inboxes[0]!.types, ["by-old"]);
    await eventually(() => assert.equal(layers[0]!.stats.dropped.malformed, 1));
    assert.deepEqual(inboxes[3]!.types, []);
    await eventually(() => assert.equal(layers[3]!.stats.dropped.malformed, 2));
    await layers[0]!.send("jobs", { type: "secret-word" });
    const raw = await server.ask("HGETALL", `${prefix}:0:{c:jobs}:queue`) as string[];
    assert.match(raw.join(), /m0,\d+:/);
    assert.doesNotMatch(raw.join(), /secret-word/);
    await server.command(`COPY ${prefix}:0:{c:jobs}:queue ${prefix}:0:{c:other}:queue`);
    const stolen = layers[1]!.receive("other", { signal: AbortSignal.timeout(300) });
    await assert.rejects(stolen, { name: "TimeoutError" });
    assert.equal(layers[1]!.stats.dropped.malformed, 1);
    for (const layer of layers) await layer.close();
  },
);

test("RedisChannelLayer rejects with LIMIT_REACHED beyond maxPendingBytes", options, async () => {
  const small = layer({ maxPendingBytes: 10_000 });
  await small.check();
  const large = { type: "x", data: "x".repeat(6_000) };
  const sends = await Promise.allSettled([
    small.groupSend("g", large),
    small.groupSend("g", large),
  ]);
  assert.deepEqual(sends.map(({ status }) => status), ["fulfilled", "rejected"]);
  await small.groupSend("g", large);
  await small.close();
});

test("RedisChannelLayer refuses invalid addresses, prefixes and keys without revealing secrets", () => {
  for (const url of ["http://x", "redis://", "", "redis:/x"]) {
    assert.throws(() => new RedisChannelLayer(url), TypeError);
  }
  const url = "redis://127.0.0.1:1";
  for (const prefix of ["", "a{b", "a b", ":"]) {
    assert.throws(() => new RedisChannelLayer(url, { prefix }), TypeError);
  }
  assert.throws(() => new RedisChannelLayer(url, { encryptionKeys: [] }), TypeError);
  assert.throws(
    () => new RedisChannelLayer(url, { encryptionKeys: ["hunter2"] }),
    (error: Error) => error instanceof TypeError && !error.message.includes("hunter2"),
  );
  assert.throws(() => new RedisChannelLayer(url, { timeoutMs: 0 }), RangeError);
});

/** Quotes an argument of an inline command. */
function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

test(
  "RedisChannelLayer continues when the wall clock is set back or forward by an hour",
  options,
  async () => {
    let offsetMs = 0;
    const clock = { ...systemClock, now: () => Date.now() + offsetMs };
    const [one, other] = [layer({ clock }), layer({ clock })];
    const inbox = new LayerInbox();
    await join(one, new LayerInbox());
    await join(other, inbox);
    await one.groupSend("g", { type: "before" });
    for (const hours of [-1, 1]) {
      offsetMs = hours * 3_600_000;
      const type = `hours ${hours}`;
      assert.equal((await one.groupSend("g", { type })).processes, 1);
      await inbox.until(() => inbox.types.includes(type));
      await one.send("jobs", { type });
      assert.deepEqual(await other.receive("jobs"), { type });
    }
    await Promise.all([one.close(), other.close()]);
  },
);
