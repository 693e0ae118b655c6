import { test } from "node:test";
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { FakeClock } from "@sluice/sluice/testing";
import { WriteBatcher } from "../../lib/server/writing/write_batcher.ts";
import { Hold } from "../../lib/server/writing/hold.ts";
import { SendQueue } from "../../lib/server/writing/send_queue.ts";
import { StalledReaders } from "../../lib/server/writing/stalled_readers.ts";
import { silent as log } from "../support/silent_log.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function peer(gathers: boolean, batcher = new WriteBatcher(), sendBufferBytes = 100) {
  const sent: (string | Uint8Array)[] = [];
  let overflows = 0;
  const context = {
    log,
    limits: { sendBufferBytes },
    stalled: new StalledReaders(new FakeClock()),
    batcher,
  };
  const queue = new SendQueue(context, { overflowed: () => void overflows++ });
  const socket = {
    bufferedAmount: 0,
    send: (data: string | Uint8Array) => void sent.push(data),
    close() {},
  };
  queue.isBatched = gathers;
  queue.attach(socket);
  queue.open();
  return { queue, sent, socket, overflows: () => overflows };
}

test("SendQueue sends the frames of one turn as one message, one per line", async () => {
  const { queue, sent } = peer(true);
  queue.sendFrame("1");
  queue.sendFrame("2");
  assert.deepEqual(sent, []);
  await turn();
  assert.deepEqual(sent, ["1\n2"]);
  queue.sendFrame("3");
  await turn();
  assert.deepEqual(sent, ["1\n2", "3"]);
});

test("SendQueue sends each frame at once as its own message without the subprotocol", () => {
  const { queue, sent } = peer(false);
  queue.sendFrame("1");
  queue.sendFrame("2");
  assert.deepEqual(sent, ["1", "2"]);
});

test("SendQueue keeps a plain message behind the frames before it", () => {
  const { queue, sent } = peer(true);
  queue.sendFrame("1");
  queue.send(new Uint8Array([2]));
  assert.deepEqual(sent, ["1", new Uint8Array([2])]);
});

test("SendQueue writes batched frames before a normal end and drops them at any other", async () => {
  for (const unsent of [false, true]) {
    const { queue, sent } = peer(true);
    queue.sendFrame("last words");
    queue.drop({ unsent });
    await turn();
    assert.deepEqual(sent, unsent ? [] : ["last words"]);
  }
});

test("SendQueue counts batched frames against the budget", async () => {
  const { queue, socket, sent, overflows } = peer(true);
  queue.send("y".repeat(90));
  socket.bufferedAmount = 90;
  queue.sendFrame("0123456789");
  assert.equal(queue.bufferedAmount, 100);
  queue.sendFrame("x");
  await turn();
  assert.equal(overflows(), 1);
  assert.deepEqual(sent.slice(1), []);
});

test("SendQueue shares one text among peers that receive the same frames", async () => {
  const batcher = new WriteBatcher();
  const peers = [peer(true, batcher), peer(true, batcher), peer(true, batcher)];
  for (const frame of ["1", "2", "3"]) {
    for (const { queue } of peers) queue.sendFrame(frame);
  }
  peers[1]!.queue.sendFrame("only here");
  await turn();
  assert.deepEqual(peers.map(({ sent }) => sent), [
    ["1\n2\n3"],
    ["1\n2\n3\nonly here"],
    ["1\n2\n3"],
  ]);
});

test("SendQueue batches frames of successive microtasks, and a turn always ends", async () => {
  const { queue, sent } = peer(true);
  let isSending = true;
  let count = 0;
  const more = () => {
    queue.sendFrame(String(count++));
    if (isSending && sent.length === 0) queueMicrotask(more);
  };
  for (let hop = 0; hop < 8; hop++) {
    queue.sendFrame(String(count++));
    await Promise.resolve();
  }
  await turn();
  assert.deepEqual(sent.splice(0), ["0\n1\n2\n3\n4\n5\n6\n7"]);
  more();
  await turn();
  isSending = false;
  assert.ok(sent.length > 0);
});

test("SendQueue sends a batch at once when it exceeds the recommended message size", () => {
  const { queue, sent } = peer(true, new WriteBatcher(), 1_000_000);
  const frame = "x".repeat(40_000);
  queue.sendFrame(frame);
  assert.equal(sent.length, 0);
  queue.sendFrame(frame);
  assert.deepEqual(sent, [`${frame}\n${frame}`]);
});

test("SendQueue checks the runtime's buffer before the budget could be exceeded", () => {
  const { queue, socket, overflows } = peer(false);
  let looks = 0;
  let waiting = 0;
  Object.defineProperty(socket, "bufferedAmount", { get: () => (looks++, waiting) });
  let count = 0;
  while (queue.send("é".repeat(3)) && count < 30) {
    waiting += 6;
    count++;
  }
  assert.deepEqual([overflows(), waiting, count], [1, 102, 17]);
  assert.ok(looks < 12, `looked ${looks} times`);
});

/** Forty peers, some of them with data that the runtime has not written yet. */
function crowd(hold = new Hold(() => 0)) {
  const batcher = new WriteBatcher(hold);
  const peers = Array.from({ length: 40 }, () => peer(true, batcher, 1_000_000));
  return {
    batcher,
    peers,
    publish: (frame: string) => peers.forEach(({ queue }) => queue.sendFrame(frame)),
    setWaiting: (bytes: number, of = peers) => of.forEach((p) => p.socket.bufferedAmount = bytes),
    sentTo: (index: number) => peers[index]!.sent,
  };
}

test("WriteBatcher batches frames published during a large flush until the flush is done", async () => {
  const { publish, setWaiting, sentTo } = crowd();
  publish("1");
  await turn();
  setWaiting(100);
  publish("2");
  await turn();
  publish("3");
  await turn();
  assert.deepEqual(sentTo(0), ["1"]);
  setWaiting(0);
  await turn();
  assert.deepEqual(sentTo(0), ["1", "2\n3"]);
  assert.deepEqual(sentTo(39), ["1", "2\n3"]);
});

test("WriteBatcher waits only briefly, and once, for a peer that has stopped reading", async () => {
  const { peers, publish, setWaiting, sentTo } = crowd();
  setWaiting(100, peers.slice(0, 1));
  publish("1");
  await turn();
  publish("2");
  for (let go = 0; go < 250 && sentTo(0).length < 2; go++) await turn();
  assert.deepEqual(sentTo(0), ["1", "2"]);
  for (const frame of ["3", "4", "5"]) {
    publish(frame);
    await turn();
  }
  assert.deepEqual(sentTo(0), ["1", "2", "3", "4", "5"]);
});

test("WriteBatcher waits again for a peer that reads again", async () => {
  const { peers, publish, setWaiting, sentTo } = crowd();
  const last = peers.slice(0, 1);
  setWaiting(100, last);
  publish("1");
  await turn();
  publish("2");
  for (let go = 0; go < 250 && sentTo(0).length < 2; go++) await turn();
  setWaiting(0, last);
  publish("3");
  await turn();
  setWaiting(100, last);
  publish("4");
  await turn();
  assert.deepEqual(sentTo(0), ["1", "2", "3"]);
  setWaiting(0, last);
  await turn();
  assert.deepEqual(sentTo(0), ["1", "2", "3", "4"]);
});

/** Peers after a long flush: the next flush is delayed for more frames. */
async function crowdThatWaits() {
  let now = 0;
  const room = crowd(new Hold(() => now));
  /** Writes a frame to all peers, which takes `ms` milliseconds. */
  const write = async (frame: string, ms: number) => {
    room.publish(frame);
    room.setWaiting(100);
    await turn();
    now += ms;
    room.setWaiting(0);
    await turn();
  };
  await write("1", 1_000);
  assert.deepEqual(room.sentTo(0), ["1"]);
  return { ...room, write, pass: (ms: number) => now += ms };
}

test("WriteBatcher flushes at once when the last large flush was long ago", async () => {
  const { publish, sentTo, pass } = await crowdThatWaits();
  pass(100);
  publish("2");
  await turn();
  assert.deepEqual(sentTo(0), ["1", "2"]);
});

test("WriteBatcher waits after a large flush until as many frames are there as last time", async () => {
  const { publish, write, sentTo, pass } = await crowdThatWaits();
  publish("2");
  await turn();
  publish("3");
  await turn();
  assert.deepEqual(sentTo(0), ["1"]);
  // The delay has ended, and brought one more frame.
  pass(100);
  while (sentTo(0).length < 2) await turn();
  await turn();
  assert.deepEqual(sentTo(0).slice(1), ["2\n3"]);
  await write("4", 1_000);
  publish("5");
  await turn();
  assert.deepEqual(sentTo(0).slice(2), ["4"]);
  publish("6");
  await turn();
  assert.deepEqual(sentTo(0).slice(3), ["5\n6"]);
});

test("WriteBatcher does not delay frames for a few peers, and sends them with the others during a delay", async () => {
  const { batcher, publish, write, sentTo, pass, peers } = await crowdThatWaits();
  const other = peer(true, batcher);
  publish("2");
  await turn();
  other.queue.sendFrame("with them");
  publish("3");
  await turn();
  assert.deepEqual(other.sent, []);
  pass(100);
  while (sentTo(0).length < 2) await turn();
  await turn();
  assert.deepEqual(other.sent, ["with them"]);
  await write("4", 1_000);
  peers[0]!.queue.sendFrame("lone");
  await turn();
  assert.deepEqual(sentTo(0).slice(3), ["lone"]);
});

test("WriteBatcher sends a group message to its sender first, batched with replies that waited for the layer", async () => {
  const { batcher, publish, peers } = crowd();
  const speaker = peer(true, batcher);
  const written: unknown[] = [];
  for (const one of [...peers, speaker]) one.socket.send = () => void written.push(one);
  publish("1");
  for (let hop = 0; hop < 20; hop++) await Promise.resolve();
  assert.deepEqual(written, []);
  speaker.queue.sendFrame("1");
  await turn();
  assert.equal(written.length, 41);
  assert.equal(written[0], speaker);
});
