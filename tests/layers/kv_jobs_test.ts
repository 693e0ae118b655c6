import { test } from "node:test";
import assert from "node:assert/strict";
import type { LayerMessage } from "@sluice/sluice/layers";
import { KvChannelLayer } from "@sluice/sluice/layers/kv";
import { Worker } from "@sluice/sluice/workers";
import { eventually } from "../support/eventually.ts";
import { silent as log } from "../support/silent_log.ts";
import { DenoKeyValue } from "../../lib/kv/deno/mod.ts";

const options = { timeout: 15_000 };
const POLL = { pollMs: 10 };

/** A hook after the next write that takes a job from its channel, before the write returns. */
interface Delay {
  afterTake: (() => Promise<void>) | undefined;
}

/** A database that delays the response to writes that change a message of a channel. */
function slow(kv: Deno.Kv, delay: Delay): Deno.Kv {
  const isJob = (key: unknown) => Array.isArray(key) && key[1] === "queue";
  const atomic = () => {
    const operation = kv.atomic();
    let isTake = false;
    const proxy: Deno.AtomicOperation = new Proxy(operation, {
      get(_target, name: keyof Deno.AtomicOperation) {
        if (name === "commit") {
          return async () => {
            const result = await operation.commit();
            const { afterTake } = delay;
            if (isTake && afterTake !== undefined) {
              delay.afterTake = undefined;
              await afterTake();
            }
            return result;
          };
        }
        return (...args: unknown[]) => {
          const key = name === "check" ? (args[0] as { key: unknown }).key : undefined;
          if (isJob(key)) isTake = true;
          (operation[name] as (...args: unknown[]) => unknown)(...args);
          return proxy;
        };
      },
    });
    return proxy;
  };
  return new Proxy(kv, {
    get(_target, name: keyof Deno.Kv) {
      if (name === "atomic") return atomic;
      const value = kv[name];
      return typeof value === "function" ? value.bind(kv) : value;
    },
  });
}

async function readAll(layer: KvChannelLayer): Promise<unknown[]> {
  const found: unknown[] = [];
  await layer.send("jobs", { type: "the-last" });
  while (true) {
    const { type, data } = await layer.receive("jobs");
    if (type === "the-last") return found;
    found.push(data);
  }
}

test(
  "receive() that rejected takes no message later",
  options,
  async () => {
    using kv = await Deno.openKv(":memory:");
    let isThere = false;
    const source = () => isThere ? Promise.resolve(kv) : Promise.reject(new Error("no such file"));
    const layer = new KvChannelLayer(new DenoKeyValue(source), POLL);
    for (let n = 0; n < 3; n++) {
      await assert.rejects(layer.receive("jobs"), { code: "UNAVAILABLE" });
    }
    isThere = true;
    for (let n = 1; n <= 5; n++) await layer.send("jobs", { type: "job", data: n });
    assert.deepEqual(await readAll(layer), [1, 2, 3, 4, 5]);
    assert.equal(layer.stats.delivered, 6);
    await layer.close();
  },
);

test("receive() rejects at once if it is aborted while the database hangs", options, async () => {
  const layer = new KvChannelLayer(new DenoKeyValue(() => new Promise(() => {})), {
    ...POLL,
    timeoutMs: 60_000,
  });
  const controller = new AbortController();
  const ended = assert.rejects(layer.receive("jobs", { signal: controller.signal }), /enough/);
  controller.abort(new Error("enough"));
  await ended;
  const closed = assert.rejects(layer.receive("jobs"), { code: "CLOSED" });
  await layer.close();
  await closed;
});

test(
  "Worker.stop() releases a job that is being leased before the layer is closed",
  options,
  async () => {
    using kv = await Deno.openKv(":memory:");
    const [taken, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const delay: Delay = { afterTake: () => (taken.resolve(), answer.promise) };
    const layer = new KvChannelLayer(new DenoKeyValue(slow(kv, delay)), POLL);
    const handled: unknown[] = [];
    class Worker1 {
      handle = ({ data }: LayerMessage) => Promise.resolve(void handled.push(data));
      stop() {}
    }
    const worker = new Worker(() => Worker1, { layer, log });
    const running = worker.run(["jobs"]);
    const other = new KvChannelLayer(new DenoKeyValue(kv), POLL);
    await other.send("jobs", { type: "job", data: 1 });
    await taken.promise;
    const stopped = worker.stop(1_000).then(() => layer.close());
    await eventually(() => answer.resolve());
    await stopped;
    await running;
    assert.deepEqual([...handled, ...await readAll(other)], [1]);
    await other.close();
  },
);

test("receive() loses no job if the process stalls after taking it", options, async () => {
  using kv = await Deno.openKv(":memory:");
  const delay: Delay = { afterTake: undefined };
  const layer = new KvChannelLayer(new DenoKeyValue(slow(kv, delay)), { ...POLL, timeoutMs: 200 });
  await layer.send("jobs", { type: "job", data: 1 });
  delay.afterTake = () => {
    const until = performance.now() + 300;
    while (performance.now() < until) { /* As if the process were stopped. */ }
    return new Promise((resolve) => setTimeout(resolve, 1));
  };
  assert.equal((await layer.receive("jobs")).data, 1);
  assert.equal(delay.afterTake, undefined);
  assert.deepEqual(await readAll(layer), []);
  await layer.close();
});

test("KvChannelLayer retries a large job whose parts cannot be read", options, async () => {
  using kv = await Deno.openKv(":memory:");
  let isBroken = true;
  const source = new DenoKeyValue(kv);
  const list = source.list.bind(source);
  source.list = (range, options) => {
    if (!isBroken || range.prefix[1] !== "part") return list(range, options);
    isBroken = false;
    return Promise.reject(new Error("a disk hiccup"));
  };
  const layer = new KvChannelLayer(source, POLL);
  const data = "x".repeat(100_000);
  await layer.send("jobs", { type: "job", data });
  assert.equal((await layer.receive("jobs")).data, data);
  assert.equal(isBroken, false);
  assert.equal(layer.stats.dropped.malformed, 0);
  await layer.close();
});

test("KvChannelLayer leaves no parts of large jobs behind", options, async () => {
  using kv = await Deno.openKv(":memory:");
  const layer = new KvChannelLayer(new DenoKeyValue(kv), { ...POLL, capacity: 2, expiryMs: 200 });
  const large = { type: "job", data: "x".repeat(100_000) };
  await layer.send("jobs", large);
  await layer.receive("jobs");
  await layer.send("jobs", large);
  await layer.send("jobs", large);
  await assert.rejects(layer.send("jobs", large), { code: "CHANNEL_FULL" });
  const isOver = async () => {
    await layer.send("jobs", { type: "the-last" });
    await layer.receive("jobs");
    assert.equal((await Array.fromAsync(kv.list({ prefix: ["layer.sluice", "part"] }))).length, 0);
  };
  await eventually(isOver);
  // The other one may be read before it expires.
  assert.ok(layer.stats.dropped.expired >= 1);
  await layer.close();
});
