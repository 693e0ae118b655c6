import { test } from "node:test";
import assert from "node:assert/strict";
import { Hold } from "../../lib/server/hold.ts";

/** Writes a room, and lets frames come in; returns for how long they were waited for, in ms. */
function createRoom(writtenMs = 4) {
  let now = 0;
  const hold = new Hold(() => now);
  return (frames: readonly number[], pauseMs = 0): number => {
    hold.began();
    now += writtenMs;
    hold.written();
    now += pauseMs;
    const beganAt = now;
    let index = 0;
    while (hold.waitMs(frames[Math.min(index++, frames.length - 1)]!) > 0) now += 0.25;
    return now - beganAt;
  };
}

test("Hold waits for half of the time that was written, where that brings more", () => {
  assert.equal(createRoom()([4, 5, 8]), 2);
  assert.equal(createRoom(2)([4, 5, 8]), 1);
});

test("Hold waits for no more than 25 ms", () => {
  assert.equal(createRoom(400)([4, 5]), 25);
});

test("Hold waits from when the first came, where that was soon", () => {
  assert.equal(createRoom()([4, 5], 1.5), 2);
  assert.equal(createRoom()([4, 5], 2), 0);
});

test("Hold says for how long", () => {
  let now = 0;
  const hold = new Hold(() => now);
  hold.began();
  now += 4;
  hold.written();
  assert.equal(hold.waitMs(1), 2);
  now += 1.5;
  assert.equal(hold.waitMs(1), 0.5);
});

test("Hold waits no longer than until as many are there as came before, and looks for more at times", () => {
  const room = createRoom();
  assert.equal(room([4, 5, 6, 7, 8]), 2);
  const waits = Array.from({ length: 257 }, () => room([4, 6, 8]));
  assert.deepEqual(waits, [...Array(256).fill(0.5), 2]);
});

test("Hold waits ever more seldom where nothing more comes", () => {
  const room = createRoom();
  const waits = Array.from({ length: 400 }, () => room([1]));
  assert.equal(waits[0], 2);
  assert.ok(waits.filter((ms) => ms > 0).length <= 10);
  assert.ok(waits.slice(-128).some((ms) => ms > 0));
});

test("Hold does not wait where the room was written a while ago, or never", () => {
  const room = createRoom();
  assert.equal(room([1], 5), 0);
  assert.equal(new Hold(() => 0).waitMs(1), 0);
});
