import { after, before, beforeEach, test } from "node:test";
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { Worker } from "@sluice/sluice/workers";
import type { ChannelWorker } from "../../../lib/workers/worker_consumer.ts";
import { eventually } from "../../support/eventually.ts";
import { RedisServer, whyNoRedis } from "../../support/redis/redis_server.ts";
import { silent as log } from "../../support/silent_log.ts";

const skip = whyNoRedis() ?? false;
const options = { skip, timeout: 30_000 };

/** A Redis that writes each change to disk before it answers. */
let server: RedisServer;
let prefix = "";

before(async () => {
  if (skip) return;
  server = await RedisServer.start(["--appendonly", "yes", "--appendfsync", "always"]);
});
beforeEach(() => {
  prefix = crypto.randomUUID();
});
after(() => server?.[Symbol.asyncDispose]());

function makeLayer(): RedisChannelLayer {
  return new RedisChannelLayer(server.url, { prefix });
}

/** Starts a worker of the channel `jobs` that records the jobs it handles. */
function startWorker(layer: RedisChannelLayer, handlerMs: number) {
  const handled: number[] = [];
  class Noting implements ChannelWorker {
    async handle({ data }: { data?: unknown }): Promise<void> {
      await setTimeout(handlerMs);
      handled.push(Number(data));
    }
    stop(): void {}
  }
  const retry = { baseMs: 100, maxMs: 500 };
  const worker = new Worker(() => Noting, { layer, log, retry });
  return { worker, handled, running: worker.run(["jobs"]) };
}

/** Sends numbered jobs. A job whose reply was lost is sent again, so the channel may have it twice. */
async function sendAll(layer: RedisChannelLayer, count: number): Promise<void> {
  for (let data = 0; data < count; data++) {
    await eventually(() => layer.send("jobs", { type: "job", data }), 10_000);
  }
}

test(
  "receive() that rejected during a Redis outage takes no message later",
  options,
  async () => {
    await server.kill();
    const layer = makeLayer();
    for (let n = 0; n < 3; n++) {
      await assert.rejects(layer.receive("jobs"), { code: "UNAVAILABLE" });
    }
    await server.restart();
    await sendAll(layer, 5);
    const received = new Set<unknown>();
    while (received.size < 5) received.add((await layer.receive("jobs")).data);
    await layer.close();
  },
);

test(
  "Worker.stop() handles a job that arrives at the same time, or leaves it for the next worker",
  options,
  async () => {
    const sender = makeLayer();
    await sender.check();
    for (let trial = 0; trial < 40; trial++) {
      const layer = makeLayer();
      const { worker, handled, running } = startWorker(layer, 0);
      await layer.check();
      const sent = sendAll(sender, 1);
      const until = performance.now() + (trial % 16) / 10;
      while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
      await worker.stop();
      await running;
      await layer.close();
      await sent;
      if (handled.length === 0) assert.equal((await sender.receive("jobs")).data, 0);
    }
    await sender.close();
  },
);

for (const how of ["killed", "stopped"] as const) {
  test(`Worker loses no job while Redis is ${how}`, options, async () => {
    const [layer, sender] = [makeLayer(), makeLayer()];
    const { worker, handled, running } = startWorker(layer, 20);
    await Promise.all([layer.check(), sender.check()]);
    const sending = sendAll(sender, 200);
    await eventually(() => assert.ok(handled.length >= 20));
    if (how === "killed") {
      await server.kill();
      await setTimeout(500);
      await server.restart();
    } else {
      server.pause();
      await setTimeout(2_500);
      server.resume();
    }
    await sending;
    await eventually(() => assert.equal(new Set(handled).size, 200), 20_000);
    await worker.stop();
    await running;
    const { handled: acknowledged, lost, dead } = worker.stats;
    assert.equal(dead, 0);
    assert.ok(acknowledged + lost >= 200);
    assert.equal(layer.stats.delivered, acknowledged);
    await Promise.all([layer.close(), sender.close()]);
  });
}

test("lease() and receive() work while the memory of Redis is full", options, async () => {
  const layer = makeLayer();
  await sendAll(layer, 3);
  await server.command("CONFIG SET maxmemory 1");
  try {
    const lease = await layer.lease("jobs");
    assert.equal(await lease.renew(), true);
    assert.equal(await lease.release(), true);
    assert.equal((await layer.receive("jobs")).data, 0);
    assert.equal(await (await layer.lease("jobs")).ack(), true);
  } finally {
    await server.command("CONFIG SET maxmemory 0");
  }
  await layer.close();
});

test("RedisChannelLayer lets a queue expire later than all of its messages", options, async () => {
  const layer = new RedisChannelLayer(server.url, { prefix, expiryMs: 1_000, leaseMs: 200_000 });
  const ttl = () => server.ask("PTTL", `${prefix}:0:{c:jobs}:queue`).then(Number);
  await sendAll(layer, 1);
  assert.ok(await ttl() > 60_000);
  const lease = await layer.lease("jobs");
  assert.ok(await ttl() > 400_000);
  await lease.ack();
  await layer.close();
});
