import { test } from "node:test";
import assert from "node:assert/strict";
import type { ChannelLayer } from "@sluice/sluice/layers";
import { KvChannelLayer } from "@sluice/sluice/layers/kv";
import { LayerInbox } from "../../lib/testing/layers/layer_inbox.ts";
import { eventually } from "../support/eventually.ts";
import type { KeyValue, KvKey } from "../../lib/kv/mod.ts";
import { DenoKeyValue } from "../../lib/kv/deno/mod.ts";

const options = { timeout: 15_000 };
const UNAVAILABLE = { code: "UNAVAILABLE" };
const HELLO = { type: "hello" };
const POLL = { pollMs: 10 };

async function join(layer: ChannelLayer, group = "g"): Promise<LayerInbox> {
  const inbox = new LayerInbox();
  const channel = layer.newChannel();
  layer.attach(channel, inbox);
  await layer.groupAdd(group, channel);
  return inbox;
}

async function count(kv: Deno.Kv, ...prefix: Deno.KvKey): Promise<number> {
  return (await Array.fromAsync(kv.list({ prefix }))).length;
}

test(
  "KvChannelLayer rejects with UNAVAILABLE until its database can be opened, then recovers",
  options,
  async () => {
    using kv = await Deno.openKv(":memory:");
    let isThere = false;
    const source = () => isThere ? Promise.resolve(kv) : Promise.reject(new Error("no such file"));
    const layer = new KvChannelLayer(new DenoKeyValue(source), POLL);
    const inbox = new LayerInbox();
    layer.attach("jobs", inbox);
    await assert.rejects(layer.send("jobs", HELLO), UNAVAILABLE);
    await assert.rejects(layer.groupSend("g", HELLO), UNAVAILABLE);
    await assert.rejects(join(layer), UNAVAILABLE);
    await assert.rejects(layer.check(), UNAVAILABLE);
    isThere = true;
    await layer.check();
    await layer.send("jobs", HELLO);
    await inbox.wait(1);
    await layer.close();
  },
);

test(
  "KvChannelLayer rejects in time while its database hangs, and writes nothing late",
  options,
  async () => {
    using kv = await Deno.openKv(":memory:");
    const { promise, resolve } = Promise.withResolvers<Deno.Kv>();
    const layer = new KvChannelLayer(new DenoKeyValue(() => promise), { ...POLL, timeoutMs: 100 });
    await assert.rejects(layer.groupSend("g", { type: "late" }), UNAVAILABLE);
    await assert.rejects(layer.send("jobs", { type: "late" }), UNAVAILABLE);
    resolve(kv);
    await layer.send("jobs", { type: "first" });
    assert.equal((await layer.receive("jobs")).type, "first");
    assert.equal(await count(kv, "layer.sluice", "log"), 0);
    await layer.close();
  },
);

test(
  "KvChannelLayer calls its source until a database opens, and not again",
  options,
  async () => {
    let opened = 0;
    const handles: Deno.Kv[] = [];
    const layer = new KvChannelLayer(
      new DenoKeyValue(async () => {
        if (++opened < 3) throw new Error("no such file");
        const kv = await Deno.openKv(":memory:");
        handles.push(kv);
        return kv;
      }),
      POLL,
    );
    await assert.rejects(layer.check(), UNAVAILABLE);
    await assert.rejects(layer.check(), UNAVAILABLE);
    await layer.send("jobs", HELLO);
    assert.deepEqual(await layer.receive("jobs"), HELLO);
    assert.equal(opened, 3);
    await layer.close();
    for (const kv of handles) kv.close();
  },
);

test("KvChannelLayer.close() rejects calls that hang", options, async () => {
  const layer = new KvChannelLayer(new DenoKeyValue(() => new Promise(() => {})), POLL);
  const sent = assert.rejects(layer.groupSend("g", HELLO), { code: "CLOSED" });
  await layer.close();
  await sent;
});

test("KvChannelLayer reports a gap if unread entries were deleted", options, async () => {
  using kv = await Deno.openKv(":memory:");
  const [one, other] = [
    new KvChannelLayer(new DenoKeyValue(kv), POLL),
    new KvChannelLayer(new DenoKeyValue(kv), POLL),
  ];
  const inbox = await join(other);
  await one.groupSend("g", { type: "1" });
  await inbox.wait(1);
  // As if this process had been suspended, and the entries had been swept.
  const head = (await kv.get<number>(["layer.sluice", "head"])).value!;
  await kv.set(["layer.sluice", "head"], head + 7);
  await inbox.until(() => inbox.gaps.length === 1);
  await one.groupSend("g", { type: "2" });
  await inbox.wait(2);
  assert.deepEqual(inbox.types, ["1", "2"]);
  assert.equal(other.stats.gaps, 1);
  await one.close();
  await other.close();
});

test("KvChannelLayer reports a gap for a missing number", options, async () => {
  using kv = await Deno.openKv(":memory:");
  const [one, other] = [
    new KvChannelLayer(new DenoKeyValue(kv), POLL),
    new KvChannelLayer(new DenoKeyValue(kv), { pollMs: 300 }),
  ];
  const inbox = await join(other);
  for (const type of ["1", "2", "3"]) await one.groupSend("g", { type });
  await kv.delete([
    "layer.sluice",
    "log",
    (await kv.get<number>(["layer.sluice", "head"])).value! - 1,
  ]);
  await inbox.until(() => inbox.gaps.length === 1);
  assert.deepEqual(inbox.types, ["1", "3"]);
  await one.close();
  await other.close();
});

test("KvChannelLayer reports a gap if its database was replaced", options, async () => {
  using kv = await Deno.openKv(":memory:");
  const layer = new KvChannelLayer(new DenoKeyValue(kv), POLL);
  const inbox = await join(layer);
  for (let n = 0; n < 3; n++) await layer.groupSend("g", HELLO);
  await kv.set(["layer.sluice", "head"], 0);
  await inbox.until(() => inbox.gaps.length === 1);
  const other = new KvChannelLayer(new DenoKeyValue(kv), POLL);
  await other.groupSend("g", { type: "again" });
  await inbox.wait(4);
  assert.equal(inbox.types.at(-1), "again");
  await layer.close();
  await other.close();
});

/** A database whose responses can be delayed. */
function holdable(kv: KeyValue) {
  let held: Promise<void> | undefined;
  let began = () => {};
  const get = async (key: KvKey) => {
    if (held !== undefined && key[1] === "head") {
      const answer = held;
      began();
      await answer;
    }
    return await kv.get(key);
  };
  const proxy = new Proxy(kv, {
    get(target, name) {
      if (name === "get") return get;
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  /** Delays the next read of the head, or all. Returns when a read began, and a function to resume. */
  const hold = (which: "next" | "all" = "next") => {
    const [begun, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    held = release.promise;
    began = () => {
      if (which === "next") held = undefined;
      begun.resolve();
    };
    const go = () => {
      held = undefined;
      release.resolve();
    };
    return { begun: begun.promise, release: go };
  };
  return { kv: proxy, hold };
}

test(
  "KvChannelLayer.groupSend() delivers its entry even if it was deleted while the process was suspended",
  options,
  async () => {
    using kv = await Deno.openKv(":memory:");
    const slow = holdable(new DenoKeyValue(kv));
    const layer = new KvChannelLayer(slow.kv, { ...POLL, timeoutMs: 5_000 });
    const other = new KvChannelLayer(new DenoKeyValue(kv), POLL);
    const inbox = await join(layer);
    await other.groupSend("g", { type: "1" });
    const { begun, release } = slow.hold();
    await begun;
    const sent = layer.groupSend("g", { type: "2" });
    await eventually(async () => assert.equal(await count(kv, "layer.sluice", "log"), 2));
    for await (const { key } of kv.list({ prefix: ["layer.sluice", "log"] })) await kv.delete(key);
    release();
    const { delivered, dropped } = await sent;
    assert.deepEqual([delivered, dropped], [1, 0]);
    assert.deepEqual(inbox.types, ["2"]); // The first message is missing: that is a gap.
    assert.equal(inbox.gaps.length, 1);
    await layer.groupSend("g", { type: "3" });
    assert.equal(inbox.types.at(-1), "3");
    await layer.close();
    await other.close();
  },
);

test(
  "KvChannelLayer settles every call within its limit while reads hang",
  options,
  async () => {
    using kv = await Deno.openKv(":memory:");
    const slow = holdable(new DenoKeyValue(kv));
    const layer = new KvChannelLayer(slow.kv, { ...POLL, timeoutMs: 200 });
    const inbox = await join(layer);
    const channel = layer.newChannel();
    const { begun, release } = slow.hold("all");
    await begun;
    const calls = [];
    for (let n = 0; n < 20; n++) {
      calls.push(layer.groupSend("g", { type: "late" }), layer.groupAdd("h", channel));
      calls.push(layer.groupDiscard("g", channel), layer.send("jobs", HELLO), layer.check());
    }
    const settled = await Promise.allSettled(calls);
    assert.ok(settled.some(({ status }) => status === "rejected"));
    release();
    await eventually(async () => {
      await layer.groupSend("g", { type: "after" });
      assert.equal(inbox.types.at(-1), "after");
    });
    await layer.close();
  },
);

test("KvChannelLayer retries an entry that it cannot read", options, async () => {
  using kv = await Deno.openKv(":memory:");
  let isBroken = false;
  const flaky = new Proxy<KeyValue>(new DenoKeyValue(kv), {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const [selector] = args as [{ prefix?: KvKey }];
        if (isBroken && selector?.prefix?.[1] === "part") throw new Error("disk I/O error");
        return value.apply(target, args);
      };
    },
  });
  const [layer, other] = [
    new KvChannelLayer(flaky, POLL),
    new KvChannelLayer(new DenoKeyValue(kv), POLL),
  ];
  const inbox = await join(layer);
  isBroken = true;
  await other.groupSend("g", { type: "large", data: "x".repeat(100_000) });
  await other.groupSend("g", { type: "small" });
  await eventually(() => assert.rejects(layer.groupAdd("h", layer.newChannel()), UNAVAILABLE));
  isBroken = false;
  await inbox.wait(2);
  assert.deepEqual(inbox.types, ["large", "small"]);
  assert.equal(layer.stats.dropped.malformed, 0);
  await layer.close();
  await other.close();
});

test("KvChannelLayer counts and ignores malformed entries", options, async () => {
  using kv = await Deno.openKv(":memory:");
  const layer = new KvChannelLayer(new DenoKeyValue(kv), POLL);
  const inbox = await join(layer);
  const garbage: unknown[] = [
    "x",
    null,
    { to: 1 },
    { to: "x:g", stored: { frame: "" } },
    { to: "g:g", stored: { frame: "[0]" } },
    { to: "g:g", stored: { frame: 1 } },
    { to: "g:g", stored: { id: "nothing", parts: 2 } },
    { to: "g:g", stored: null },
  ];
  for (const [index, value] of garbage.entries()) {
    await kv.set(["layer.sluice", "log", index + 1], value);
  }
  await kv.set(["layer.sluice", "head"], garbage.length);
  await layer.groupSend("g", HELLO);
  await inbox.wait(1);
  assert.deepEqual(inbox.types, ["hello"]);
  assert.equal(layer.stats.dropped.malformed, garbage.length);
  await layer.close();
});

test("KvChannelLayer keeps its log bounded", options, async () => {
  using kv = await Deno.openKv(":memory:");
  const layer = new KvChannelLayer(new DenoKeyValue(kv), {
    ...POLL,
    maxEntries: 100,
    timeoutMs: 12_000,
  });
  const inbox = await join(layer);
  const sends = [];
  for (let n = 0; n < 1_500; n++) sends.push(layer.groupSend("g", { type: `${n}` }));
  await Promise.all(sends);
  assert.equal(inbox.messages.length, 1_500);
  assert.ok(await count(kv, "layer.sluice", "log") <= 600);
  await layer.close();
});

test("KvChannelLayer over a watched database delivers without polling", options, async () => {
  using kv = await Deno.openKv(":memory:");
  const slow = { pollMs: 60_000 };
  const [one, other] = [
    new KvChannelLayer(new DenoKeyValue(kv, { watch: true }), slow),
    new KvChannelLayer(new DenoKeyValue(kv, { watch: true }), slow),
  ];
  const inbox = await join(other);
  await eventually(async () => {
    await one.groupSend("g", HELLO);
    assert.ok(inbox.messages.length > 0);
  });
  await one.close();
  await other.close();
});

test(
  "KvChannelLayer loses nothing if several handles write at once, and all see the same order",
  options,
  async () => {
    const path = await Deno.makeTempFile({ suffix: ".sqlite3" });
    const handles = await Promise.all([1, 2, 3, 4].map(() => Deno.openKv(path)));
    const layers = handles.map((kv) => new KvChannelLayer(new DenoKeyValue(kv), POLL));
    const inboxes = [];
    for (const layer of layers) inboxes.push(await join(layer));
    await Promise.all(layers.map(async (layer, sender) => {
      for (let n = 0; n < 50; n++) await layer.groupSend("g", { type: `${sender}.${n}` });
    }));
    for (const inbox of inboxes) await inbox.wait(200);
    for (const { types } of inboxes) assert.deepEqual(types, inboxes[0]!.types);
    assert.equal(new Set(inboxes[0]!.types).size, 200);
    for (const layer of layers) await layer.close();
    for (const kv of handles) kv.close();
    await Deno.remove(path);
  },
);
