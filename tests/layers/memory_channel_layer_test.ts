import { test } from "node:test";
import assert from "node:assert/strict";
import { LayerError, MemoryChannelLayer } from "@sluice/sluice/layers";
import { FakeClock } from "@sluice/sluice/testing";

const hello = { type: "hello" };

async function drain(layer: MemoryChannelLayer, channel: string): Promise<string[]> {
  const types: string[] = [];
  while (true) {
    const controller = new AbortController();
    const next = layer.receive(channel, { signal: controller.signal });
    controller.abort();
    try {
      types.push((await next).type);
    } catch {
      return types;
    }
  }
}

test("send() reaches the one channel, in order", async () => {
  const layer = new MemoryChannelLayer();
  await layer.send("a", { type: "1" });
  await layer.send("a", { type: "2" });
  await layer.send("b", { type: "3" });
  assert.deepEqual(await drain(layer, "a"), ["1", "2"]);
  assert.deepEqual(await drain(layer, "b"), ["3"]);
});

test("receive() waits for what is not there yet", async () => {
  const layer = new MemoryChannelLayer();
  const next = layer.receive("a");
  await layer.send("a", hello);
  assert.deepEqual(await next, hello);
});

test("send() to a full channel rejects with CHANNEL_FULL, and drops nothing that was taken", async () => {
  const layer = new MemoryChannelLayer({ capacity: 2 });
  await layer.send("a", { type: "1" });
  await layer.send("a", { type: "2" });
  await assert.rejects(layer.send("a", { type: "3" }), { code: "CHANNEL_FULL" });
  assert.deepEqual(await drain(layer, "a"), ["1", "2"]);
});

test("the first capacity pattern that fits decides", async () => {
  const layer = new MemoryChannelLayer({
    channelCapacity: [["http.request", 1], [/^http\./, 2], ["sp?cific.*", 3]],
  });
  const capacity = async (channel: string) => {
    let count = 0;
    while (await layer.send(channel, hello).then(() => true, () => false)) count++;
    return count;
  };
  assert.equal(await capacity("http.request"), 1);
  assert.equal(await capacity("http.response!abc"), 2);
  assert.equal(await capacity("specific.x!y"), 3);
  assert.equal(await capacity("other"), 100);
});

test("a capacity that is no positive whole number is refused", () => {
  for (const capacity of [0, -1, 1.5, NaN]) {
    assert.throws(() => new MemoryChannelLayer({ capacity }), RangeError);
  }
});

test("groupSend() reaches every member once, and says how many", async () => {
  const layer = new MemoryChannelLayer();
  await layer.groupAdd("g", "a");
  await layer.groupAdd("g", "a");
  await layer.groupAdd("g", "b");
  assert.deepEqual(await layer.groupSend("g", hello), { delivered: 2, dropped: 0 });
  assert.deepEqual(await drain(layer, "a"), ["hello"]);
  assert.deepEqual(await layer.groupSend("nobody", hello), { delivered: 0, dropped: 0 });
});

test("groupSend() leaves out the channel that it is told to", async () => {
  const layer = new MemoryChannelLayer();
  await layer.groupAdd("g", "a");
  await layer.groupAdd("g", "b");
  assert.deepEqual(await layer.groupSend("g", hello, { except: "a" }), {
    delivered: 1,
    dropped: 0,
  });
  assert.deepEqual(await drain(layer, "a"), []);
});

test("groupSend() counts what a full member did not take, and never rejects for it", async () => {
  const layer = new MemoryChannelLayer({ capacity: 1 });
  await layer.groupAdd("g", "a");
  await layer.groupAdd("g", "b");
  await layer.send("a", hello);
  assert.deepEqual(await layer.groupSend("g", hello), { delivered: 1, dropped: 1 });
});

test("groupDiscard() takes a channel out, and out of nothing else", async () => {
  const layer = new MemoryChannelLayer();
  await layer.groupAdd("g", "a");
  await layer.groupAdd("h", "a");
  await layer.groupDiscard("g", "a");
  await layer.groupDiscard("g", "stranger");
  assert.equal((await layer.groupSend("g", hello)).delivered, 0);
  assert.equal((await layer.groupSend("h", hello)).delivered, 1);
});

test("a message that nobody reads for its expiry is gone, and makes room", async () => {
  const clock = new FakeClock();
  const layer = new MemoryChannelLayer({ clock, capacity: 1, expiryMs: 60_000 });
  await layer.send("a", { type: "old" });
  await clock.advance(60_000);
  await layer.send("a", { type: "new" });
  assert.deepEqual(await drain(layer, "a"), ["new"]);
});

test("a channel that nobody reads leaves its groups after their expiry", async () => {
  const clock = new FakeClock();
  const layer = new MemoryChannelLayer({ clock, groupExpiryMs: 1000 });
  await layer.groupAdd("g", "a");
  await clock.advance(999);
  assert.equal((await layer.groupSend("g", hello)).delivered, 1);
  await clock.advance(1);
  assert.equal((await layer.groupSend("g", hello)).delivered, 0);
});

test("a mailbox takes what waited, then what comes, and leaves all groups with its channel", async () => {
  const layer = new MemoryChannelLayer();
  const taken: string[] = [];
  await layer.send("a", { type: "early" });
  const leave = layer.attach("a", {
    deliver: (message) => taken.push(message.type) > 0,
  });
  await layer.groupAdd("g", "a");
  await layer.groupSend("g", { type: "late" });
  leave();
  assert.equal((await layer.groupSend("g", hello)).delivered, 0);
  assert.deepEqual(taken, ["early", "late"]);
});

test("a channel takes one reader: a second mailbox, and receive() beside one, are refused", async () => {
  const layer = new MemoryChannelLayer();
  layer.attach("a", { deliver: () => true });
  assert.throws(() => layer.attach("a", { deliver: () => true }), TypeError);
  await assert.rejects(layer.receive("a"), TypeError);
});

test("what a sender changes afterwards, no reader sees; what a reader changes, no other", async () => {
  const layer = new MemoryChannelLayer();
  const message = { type: "hello", data: { list: [1] } };
  await layer.send("a", message);
  message.data.list.push(2);
  const received = await layer.receive("a") as typeof message;
  assert.deepEqual(received.data.list, [1]);
  assert.throws(() => received.data.list.push(3), TypeError);
});

test("a message without a type, or one that cannot be copied, is refused", async () => {
  const layer = new MemoryChannelLayer();
  await assert.rejects(layer.send("a", { type: "" }), TypeError);
  await assert.rejects(layer.send("a", { type: "x", data: () => {} }), TypeError);
});

for (const name of ["", "a b", "ä", "a!b!c", "x".repeat(101), "a/b", "a\n"]) {
  test(`the channel name ${JSON.stringify(name.slice(0, 12))} is refused`, async () => {
    await assert.rejects(new MemoryChannelLayer().send(name, hello), TypeError);
  });
}

for (const name of ["", "a!b", "a b", "x".repeat(101)]) {
  test(`the group name ${JSON.stringify(name.slice(0, 12))} is refused`, async () => {
    const layer = new MemoryChannelLayer();
    await assert.rejects(layer.groupAdd(name, "a"), TypeError);
    await assert.rejects(layer.groupSend(name, hello), TypeError);
    await assert.rejects(layer.groupDiscard(name, "a"), TypeError);
  });
}

test("newChannel() returns names that are new, and of this process", () => {
  const layer = new MemoryChannelLayer();
  const [a, b] = [layer.newChannel(), layer.newChannel("mine")];
  assert.notEqual(a, b);
  assert.match(a, /^specific\.[0-9a-f]+![0-9a-z]+$/);
  assert.match(b, /^mine\./);
});

test("flush() forgets messages and groups", async () => {
  const layer = new MemoryChannelLayer();
  await layer.groupAdd("g", "a");
  await layer.send("a", hello);
  await layer.flush();
  assert.deepEqual(await drain(layer, "a"), []);
  assert.equal((await layer.groupSend("g", hello)).delivered, 0);
});

test("close() lets nobody wait, and takes nothing more", async () => {
  const layer = new MemoryChannelLayer();
  const waiting = layer.receive("a");
  await layer.close();
  await assert.rejects(waiting, LayerError);
  await assert.rejects(layer.send("a", hello), { code: "CLOSED" });
  await assert.rejects(layer.groupSend("g", hello), { code: "CLOSED" });
});
