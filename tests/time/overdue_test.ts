import { test } from "node:test";
import assert from "node:assert/strict";
import { FakeClock } from "@sluice/sluice/testing";
import { TimeoutList } from "../../lib/time/timers.ts";

function create() {
  const clock = new FakeClock();
  const came: string[] = [];
  return { clock, came, overdue: new TimeoutList<string>(clock, 1_000, (item) => came.push(item)) };
}

test("Overdue calls back once for each remaining item, in order", async () => {
  const { clock, came, overdue } = create();
  overdue.add("a");
  overdue.add("b");
  await clock.advance(999);
  assert.deepEqual(came, []);
  await clock.advance(1);
  assert.deepEqual(came, ["a", "b"]);
  await clock.advance(10_000);
  assert.deepEqual(came, ["a", "b"]);
});

test("Overdue does not call back for removed items, and uses one timer for all", async () => {
  const { clock, came, overdue } = create();
  for (let count = 0; count < 100; count++) overdue.add(String(count));
  assert.equal(clock.pending, 1);
  for (let count = 0; count < 99; count++) overdue.delete(String(count));
  await clock.advance(1_000);
  assert.deepEqual(came, ["99"]);
  assert.equal(clock.pending, 0);
});

test("Overdue starts no further timer while one is running, and none when empty", async () => {
  const { clock, came, overdue } = create();
  for (let count = 0; count < 100; count++) {
    overdue.add("a");
    overdue.delete("a");
  }
  assert.equal(clock.pending, 1);
  await clock.advance(1_000);
  assert.deepEqual([came, clock.pending], [[], 0]);
});

test("Overdue is late by at most a quarter of the time", async () => {
  const { clock, came, overdue } = create();
  overdue.add("a");
  await clock.advance(10);
  overdue.add("b");
  await clock.advance(990);
  assert.deepEqual(came, ["a"]);
  await clock.advance(250);
  assert.deepEqual(came, ["a", "b"]);
});
