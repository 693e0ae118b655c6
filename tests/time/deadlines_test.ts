import assert from "node:assert/strict";
import { test } from "node:test";
import { TimerHeap } from "../../lib/time/timers.ts";
import { FakeClock } from "../../lib/testing/fake_clock.ts";

/** The numbers 0 to 999 in a fixed shuffled order. */
const shuffled = Array.from({ length: 1000 }, (_, at) => (at * 7919 + 13) % 1000);

function setUp() {
  const clock = new FakeClock(0);
  const due: { item: number; at: number }[] = [];
  const deadlines = new TimerHeap<number>(clock, (item) => due.push({ item, at: clock.now() }));
  return { clock, due, deadlines };
}

test("TimerHeap calls back for each item at its time, with one timer", async () => {
  const { clock, due, deadlines } = setUp();
  for (const at of shuffled) deadlines.add(at, at);
  assert.equal(clock.pending, 1);
  await clock.advance(1000);
  assert.deepEqual(due, Array.from({ length: 1000 }, (_, at) => ({ item: at, at })));
  assert.equal(clock.pending, 0);
});

test("TimerHeap.compact() drops obsolete items and keeps the order of the others", async () => {
  const { clock, due, deadlines } = setUp();
  for (const at of shuffled) deadlines.add(at, at);
  deadlines.compact((item) => item % 3 === 0);
  assert.equal(deadlines.size, 334);
  deadlines.add(1, 1);
  await clock.advance(1000);
  const expected = Array.from({ length: 1000 }, (_, at) => at).filter((at) => at % 3 === 0);
  expected.splice(1, 0, 1);
  assert.deepEqual(due.map(({ item }) => item), expected);
  assert.ok(due.every(({ item, at }) => item === at));
});

test("TimerHeap.add() moves the timer forward for an earlier item", async () => {
  const { clock, due, deadlines } = setUp();
  deadlines.add(100, 100);
  deadlines.add(5, 5);
  await clock.advance(5);
  assert.deepEqual(due, [{ item: 5, at: 5 }]);
  assert.equal(clock.pending, 1);
});
