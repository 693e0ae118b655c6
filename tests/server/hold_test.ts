import { test } from "node:test";
import assert from "node:assert/strict";
import { Hold } from "../../lib/server/writing/hold.ts";

/** Flushes a group, then adds frames; returns how long each was delayed, in milliseconds. */
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

test("Hold waits for half of the time of the last flush if that brings more frames", () => {
  assert.equal(createRoom()([4, 5, 8]), 2);
  assert.equal(createRoom(2)([4, 5, 8]), 1);
});

test("Hold waits for at most 25 ms", () => {
  assert.equal(createRoom(400)([4, 5]), 25);
});

test("Hold starts its wait at the first frame if that follows soon", () => {
  assert.equal(createRoom()([4, 5], 1.5), 2);
  assert.equal(createRoom()([4, 5], 2), 0);
});

test("Hold returns the remaining wait", () => {
  let now = 0;
  const hold = new Hold(() => now);
  hold.began();
  now += 4;
  hold.written();
  assert.equal(hold.waitMs(1), 2);
  now += 1.5;
  assert.equal(hold.waitMs(1), 0.5);
});

test("Hold ends a wait at as many frames as last time, and sometimes waits for more", () => {
  const room = createRoom();
  assert.equal(room([4, 5, 6, 7, 8]), 2);
  const waits = Array.from({ length: 257 }, () => room([4, 6, 8]));
  assert.deepEqual(waits, [...Array(256).fill(0.5), 2]);
});

test("Hold retries less and less often if no more frames arrive", () => {
  const room = createRoom();
  const waits = Array.from({ length: 400 }, () => room([1]));
  assert.equal(waits[0], 2);
  assert.ok(waits.filter((ms) => ms > 0).length <= 10);
  assert.ok(waits.slice(-128).some((ms) => ms > 0));
});

test("Hold does not wait if the last flush was long ago or there was none", () => {
  const room = createRoom();
  assert.equal(room([1], 5), 0);
  assert.equal(new Hold(() => 0).waitMs(1), 0);
});
