import { test } from "node:test";
import assert from "node:assert/strict";
import { FakeClock } from "@sluice/sluice/testing";
import { Gatherer } from "../../lib/server/gatherer.ts";
import { Outbox } from "../../lib/server/outbox.ts";
import { StalledReaders } from "../../lib/server/stalled_readers.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };

function peer(gathers: boolean) {
  const sent: (string | Uint8Array)[] = [];
  let overflows = 0;
  const outbox = new Outbox({
    log,
    budget: 100,
    stalled: new StalledReaders(new FakeClock()),
    gatherer: new Gatherer(),
    onOverflow: () => overflows++,
  });
  const socket = {
    bufferedAmount: 0,
    send: (data: string | Uint8Array) => void sent.push(data),
    close() {},
  };
  outbox.gathers = gathers;
  outbox.attach(socket);
  outbox.open();
  return { outbox, sent, socket, overflows: () => overflows };
}

test("frames of one turn go out as one message, one per line", async () => {
  const { outbox, sent } = peer(true);
  outbox.sendFrame("1");
  outbox.sendFrame("2");
  assert.deepEqual(sent, []);
  await Promise.resolve();
  assert.deepEqual(sent, ["1\n2"]);
  outbox.sendFrame("3");
  await Promise.resolve();
  assert.deepEqual(sent, ["1\n2", "3"]);
});

test("without the subprotocol each frame is a message of its own, at once", () => {
  const { outbox, sent } = peer(false);
  outbox.sendFrame("1");
  outbox.sendFrame("2");
  assert.deepEqual(sent, ["1", "2"]);
});

test("a message that is no frame does not overtake the frames before it", () => {
  const { outbox, sent } = peer(true);
  outbox.sendFrame("1");
  outbox.send(new Uint8Array([2]));
  assert.deepEqual(sent, ["1", new Uint8Array([2])]);
});

test("what has gathered is written before a normal end, and forgotten at any other", async () => {
  for (const unsent of [false, true]) {
    const { outbox, sent } = peer(true);
    outbox.sendFrame("last words");
    outbox.drop({ unsent });
    await Promise.resolve();
    assert.deepEqual(sent, unsent ? [] : ["last words"]);
  }
});

test("what has gathered counts against the budget", async () => {
  const { outbox, socket, sent, overflows } = peer(true);
  socket.bufferedAmount = 90;
  outbox.sendFrame("0123456789");
  assert.equal(outbox.bufferedAmount, 100);
  outbox.sendFrame("x");
  await Promise.resolve();
  assert.equal(overflows(), 1);
  assert.deepEqual(sent, []);
});
