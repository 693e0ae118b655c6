import { test } from "node:test";
import assert from "node:assert/strict";
import type { SlowReaderPolicy } from "../../lib/core/consumer.ts";
import type { Socket } from "../../lib/core/transport.ts";
import { FakeClock } from "@sluice/sluice/testing";
import { SendQueue, WriteBatcher } from "../../lib/server/writing/send_queue.ts";
import { StalledReaders } from "../../lib/server/writing/stalled_readers.ts";
import { silent as log } from "../support/silent_log.ts";

/** A peer with a queue of 100 bytes that reads on command. */
function peer(policy: SlowReaderPolicy) {
  const clock = new FakeClock();
  const stalled = new StalledReaders(clock);
  const read: string[] = [];
  const written: string[] = [];
  let overflows = 0;
  const context = { log, limits: { sendBufferBytes: 100 }, stalled, batcher: new WriteBatcher() };
  const queue = new SendQueue(context, { end: () => void overflows++ });
  const socket: Socket = {
    get bufferedAmount() {
      return written.join("").length;
    },
    send: (data) => void written.push(String(data)),
    close() {},
  };
  queue.policy = policy;
  queue.attach(socket);
  queue.open();
  return {
    clock,
    stalled,
    queue,
    get overflows() {
      return overflows;
    },
    /** Reads the runtime's buffer, and then everything that the queue writes. */
    async readAll() {
      for (let round = 0; round < 20; round++) {
        read.push(...written.splice(0));
        await clock.advance(25);
      }
      return read;
    },
  };
}

const tenBytes = (name: string) => name.padEnd(10, ".");

test("the policy close ends the connection exactly when the budget would be exceeded", () => {
  const reader = peer("close");
  for (let count = 0; count < 10; count++) reader.queue.send("0123456789");
  assert.equal(reader.overflows, 0);
  reader.queue.send("x");
  assert.equal(reader.overflows, 1);
});

test("a message larger than the budget is sent to a peer with an empty queue", () => {
  const reader = peer("close");
  assert.equal(reader.queue.send("x".repeat(1000)), true);
  assert.equal(reader.overflows, 0);
});

test("the policy drop-oldest keeps the newest queued messages in order, and counts the others", async () => {
  const reader = peer("drop-oldest");
  for (let count = 0; count < 20; count++) reader.queue.send(tenBytes(String(count)));
  assert.ok(reader.queue.bufferedAmount <= 100);
  assert.equal(reader.stalled.dropped, 10);
  assert.equal(reader.overflows, 0);
  const numbers = (await reader.readAll()).map((text) => Number.parseInt(text));
  assert.deepEqual(numbers, [0, 1, 2, 3, 4, 15, 16, 17, 18, 19]);
});

test("the policy latest keeps only the newest of each key, in the place of the first", async () => {
  const reader = peer("latest");
  for (let count = 0; count < 5; count++) reader.queue.send(tenBytes("full"));
  for (let count = 0; count < 50; count++) {
    reader.queue.send(tenBytes(`a${count}`), "a");
    reader.queue.send(tenBytes(`b${count}`), "b");
  }
  assert.equal(reader.stalled.dropped, 98);
  const texts = (await reader.readAll()).slice(5);
  assert.deepEqual(texts, [tenBytes("a49"), tenBytes("b49")]);
});

test("a reader that catches up gets everything in order, and needs no timer afterwards", async () => {
  const reader = peer("drop-oldest");
  for (let count = 0; count < 8; count++) reader.queue.send(tenBytes(String(count)));
  assert.equal(reader.stalled.size, 1);
  const numbers = (await reader.readAll()).map((text) => Number.parseInt(text));
  assert.deepEqual(numbers, [0, 1, 2, 3, 4, 5, 6, 7]);
  reader.queue.send(tenBytes("8"));
  assert.equal(reader.stalled.size, 0);
  assert.equal(reader.clock.pending, 0);
});

test("a new message does not overtake queued ones", async () => {
  const reader = peer("drop-oldest");
  for (let count = 0; count < 6; count++) reader.queue.send(tenBytes(String(count)));
  reader.queue.send("z");
  const texts = await reader.readAll();
  assert.equal(texts.at(-1), "z");
});

test("messages sent before the socket is open are written in order when it opens", () => {
  const stalled = new StalledReaders(new FakeClock());
  const sent: string[] = [];
  const context = { log, limits: { sendBufferBytes: 100 }, stalled, batcher: new WriteBatcher() };
  const queue = new SendQueue(context, { end() {} });
  queue.send("1");
  queue.send("2");
  queue.attach({ bufferedAmount: 0, send: (data) => void sent.push(String(data)), close() {} });
  assert.deepEqual(sent, []);
  queue.open();
  queue.send("3");
  assert.deepEqual(sent, ["1", "2", "3"]);
});

test("a peer that ends with a non-empty queue is no longer checked", async () => {
  const reader = peer("drop-oldest");
  for (let count = 0; count < 10; count++) reader.queue.send(tenBytes(String(count)));
  reader.queue.drop({ unsent: true });
  await reader.clock.advance(25);
  assert.equal(reader.stalled.size, 0);
  assert.equal(reader.clock.pending, 0);
});
