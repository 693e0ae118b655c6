import { test } from "node:test";
import assert from "node:assert/strict";
import type { ChannelLayer } from "@sluice/sluice/layers";
import { KvChannelLayer } from "@sluice/sluice/layers/kv";
import { LayerInbox } from "../../lib/testing/layer_inbox.ts";
import { eventually } from "./eventually.ts";

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
  "a database that cannot be opened: UNAVAILABLE, and all is well when it can",
  options,
  async () => {
    using kv = await Deno.openKv(":memory:");
    let isThere = false;
    const source = () => isThere ? Promise.resolve(kv) : Promise.reject(new Error("no such file"));
    const layer = new KvChannelLayer(source, POLL);
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
  "a database that hangs: UNAVAILABLE in time, and nothing is written late",
  options,
  async () => {
    using kv = await Deno.openKv(":memory:");
    const { promise, resolve } = Promise.withResolvers<Deno.Kv>();
    const layer = new KvChannelLayer(() => promise, { ...POLL, timeoutMs: 100 });
    await assert.rejects(layer.groupSend("g", { type: "late" }), UNAVAILABLE);
    await assert.rejects(layer.send("jobs", { type: "late" }), UNAVAILABLE);
    resolve(kv);
    await layer.send("jobs", { type: "first" });
    assert.equal((await layer.receive("jobs")).type, "first");
    assert.equal(await count(kv, "layer", "log"), 0);
    await layer.close();
  },
);

test(
  "a source that opens a database is called until it succeeds, and then no more",
  options,
  async () => {
    let opened = 0;
    const handles: Deno.Kv[] = [];
    const layer = new KvChannelLayer(async () => {
      if (++opened < 3) throw new Error("no such file");
      const kv = await Deno.openKv(":memory:");
      handles.push(kv);
      return kv;
    }, POLL);
    await assert.rejects(layer.check(), UNAVAILABLE);
    await assert.rejects(layer.check(), UNAVAILABLE);
    await layer.send("jobs", HELLO);
    assert.deepEqual(await layer.receive("jobs"), HELLO);
    assert.equal(opened, 3);
    await layer.close();
    for (const kv of handles) kv.close();
  },
);

test("close() lets go of what hangs", options, async () => {
  const layer = new KvChannelLayer(() => new Promise(() => {}), POLL);
  const sent = assert.rejects(layer.groupSend("g", HELLO), { code: "CLOSED" });
  await layer.close();
  await sent;
});

test("entries that are gone before they were read are a gap", options, async () => {
  using kv = await Deno.openKv(":memory:");
  const [one, other] = [new KvChannelLayer(kv, POLL), new KvChannelLayer(kv, POLL)];
  const inbox = await join(other);
  await one.groupSend("g", { type: "1" });
  await inbox.wait(1);
  // As if this process had been asleep, and the entries had been swept.
  const head = (await kv.get<number>(["layer", "head"])).value!;
  await kv.set(["layer", "head"], head + 7);
  await inbox.until(() => inbox.gaps.length === 1);
  await one.groupSend("g", { type: "2" });
  await inbox.wait(2);
  assert.deepEqual(inbox.types, ["1", "2"]);
  assert.equal(other.stats.gaps, 1);
  await one.close();
  await other.close();
});

test("a hole in the numbers is a gap, and what is around it arrives", options, async () => {
  using kv = await Deno.openKv(":memory:");
  const [one, other] = [new KvChannelLayer(kv, POLL), new KvChannelLayer(kv, { pollMs: 300 })];
  const inbox = await join(other);
  for (const type of ["1", "2", "3"]) await one.groupSend("g", { type });
  await kv.delete(["layer", "log", (await kv.get<number>(["layer", "head"])).value! - 1]);
  await inbox.until(() => inbox.gaps.length === 1);
  assert.deepEqual(inbox.types, ["1", "3"]);
  await one.close();
  await other.close();
});

test("a database that was replaced by another one is a gap", options, async () => {
  using kv = await Deno.openKv(":memory:");
  const layer = new KvChannelLayer(kv, POLL);
  const inbox = await join(layer);
  for (let n = 0; n < 3; n++) await layer.groupSend("g", HELLO);
  await kv.set(["layer", "head"], 0);
  await inbox.until(() => inbox.gaps.length === 1);
  const other = new KvChannelLayer(kv, POLL);
  await other.groupSend("g", { type: "again" });
  await inbox.wait(4);
  assert.equal(inbox.types.at(-1), "again");
  await layer.close();
  await other.close();
});

test("what is no message is counted and ignored", options, async () => {
  using kv = await Deno.openKv(":memory:");
  const layer = new KvChannelLayer(kv, POLL);
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
  for (const [index, value] of garbage.entries()) await kv.set(["layer", "log", index + 1], value);
  await kv.set(["layer", "head"], garbage.length);
  await layer.groupSend("g", HELLO);
  await inbox.wait(1);
  assert.deepEqual(inbox.types, ["hello"]);
  assert.equal(layer.stats.dropped.malformed, garbage.length);
  await layer.close();
});

test("the log is bounded, and large messages leave nothing else behind", options, async () => {
  using kv = await Deno.openKv(":memory:");
  const layer = new KvChannelLayer(kv, { ...POLL, maxEntries: 100 });
  const inbox = await join(layer);
  const sends = [];
  for (let n = 0; n < 1_500; n++) sends.push(layer.groupSend("g", { type: `${n}` }));
  await Promise.all(sends);
  assert.equal(inbox.messages.length, 1_500);
  assert.ok(await count(kv, "layer", "log") <= 600);
  await layer.close();
});

test("with watch, news arrive without polling", options, async () => {
  using kv = await Deno.openKv(":memory:");
  const slow = { pollMs: 60_000, watch: true };
  const [one, other] = [new KvChannelLayer(kv, slow), new KvChannelLayer(kv, slow)];
  const inbox = await join(other);
  await eventually(async () => {
    await one.groupSend("g", HELLO);
    assert.ok(inbox.messages.length > 0);
  });
  await one.close();
  await other.close();
});

test(
  "several handles that write at once lose nothing, and agree on the order",
  options,
  async () => {
    const path = await Deno.makeTempFile({ suffix: ".sqlite3" });
    const handles = await Promise.all([1, 2, 3, 4].map(() => Deno.openKv(path)));
    const layers = handles.map((kv) => new KvChannelLayer(kv, POLL));
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
