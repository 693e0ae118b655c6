import { test } from "node:test";
import assert from "node:assert/strict";
import { Hold } from "../../lib/server/hold.ts";

/** Writes a room in 4 ms, and lets frames come in; returns for how long they were waited for, in ms. */
function createRoom() {
  let now = 0;
  const hold = new Hold(() => now);
  return (frames: readonly number[], pauseMs = 0): number => {
    hold.began();
    now += 4;
    hold.written();
    now += pauseMs;
    const beganAt = now;
    let index = 0;
    while (hold.isWorthIt(frames[Math.min(index++, frames.length - 1)]!)) now += 0.25;
    return now - beganAt;
  };
}

test("Hold waits for a quarter of the time that was written, where that brings more", () => {
  const room = createRoom();
  for (let turn = 0; turn < 10; turn++) assert.equal(room([4, 5, 8]), 1);
});

test("Hold waits ever more seldom where nothing more comes", () => {
  const room = createRoom();
  const waits = Array.from({ length: 200 }, () => room([1]));
  assert.equal(waits[0], 1);
  assert.ok(waits.filter((ms) => ms > 0).length <= 9);
  assert.ok(waits.slice(-64).some((ms) => ms > 0));
});

test("Hold does not wait where the room was written a while ago, or never", () => {
  const room = createRoom();
  assert.equal(room([1], 5), 0);
  assert.equal(new Hold(() => 0).isWorthIt(1), false);
});
