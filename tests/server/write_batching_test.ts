import { test } from "node:test";
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { FakeClock } from "@sluice/sluice/testing";
import { SendQueue, WriteBatcher } from "../../lib/server/writing/send_queue.ts";
import { StalledReaders } from "../../lib/server/writing/stalled_readers.ts";
import { silent as log } from "../support/silent_log.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function peer(isBatched: boolean, batcher = new WriteBatcher(), sendBufferBytes = 100) {
  const sent: (string | Uint8Array)[] = [];
  let overflows = 0;
  const context = {
    log,
    limits: { sendBufferBytes },
    stalled: new StalledReaders(new FakeClock()),
    batcher,
  };
  const queue = new SendQueue(context, { end: () => void overflows++ });
  const socket = {
    bufferedAmount: 0,
    send: (data: string | Uint8Array) => void sent.push(data),
    close() {},
  };
  queue.isBatched = isBatched;
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

test("SendQueue sends each peer its own frames, in order, if others get some of them too", async () => {
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

test("SendQueue batches frames of successive microtasks", async () => {
  const { queue, sent } = peer(true);
  for (let hop = 0; hop < 50; hop++) {
    queue.sendFrame(String(hop % 10));
    await Promise.resolve();
  }
  await turn();
  assert.deepEqual(sent, [Array.from({ length: 50 }, (_, hop) => hop % 10).join("\n")]);
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

test("WriteBatcher waits for no peer that is still being written to", async () => {
  const batcher = new WriteBatcher();
  const peers = Array.from({ length: 40 }, () => peer(true, batcher, 1_000));
  for (const frame of ["1", "2", "3"]) {
    for (const { queue, socket } of peers) {
      queue.sendFrame(frame);
      socket.bufferedAmount += 1;
    }
    await turn();
    assert.deepEqual(peers.map(({ sent }) => sent.at(-1)), peers.map(() => frame));
  }
});

test("WriteBatcher sends the frames that came while it was writing in the next turn", async () => {
  const batcher = new WriteBatcher();
  const [first, second] = [peer(true, batcher), peer(true, batcher)];
  first.socket.send = (data) => {
    first.sent.push(data);
    if (data !== "1") return;
    for (const { queue } of [first, second]) queue.sendFrame("late");
  };
  for (const { queue } of [first, second]) queue.sendFrame("1");
  await turn();
  await turn();
  assert.deepEqual([first.sent, second.sent], [["1", "late"], ["1\nlate"]]);
});
