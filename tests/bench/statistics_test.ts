import { test } from "node:test";
import assert from "node:assert/strict";
import { median, quantile, ratios, round, spread } from "../../bench/harness/report/statistics.ts";

test("median() returns the middle value, or the mean of the two middle values, in any order", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.deepEqual(spread([3, 1, 2]), { median: 2, min: 1, max: 3 });
});

test("quantile() uses the nearest rank", () => {
  const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);
  assert.equal(quantile(hundred, 0.99), 99);
  assert.equal(quantile(hundred, 0.5), 50);
  assert.equal(quantile([3, 1, 2], 0.5), 2);
  assert.equal(quantile(hundred, 0), 1);
  assert.equal(quantile(hundred, 1), 100);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test("ratios() compares round by round, up to the shorter series", () => {
  assert.deepEqual(ratios([2, 9, 4], [1, 3]), [2, 3]);
});

test("round() keeps the significant digits", () => {
  assert.deepEqual([123_456, 1.2345, 0.012345, NaN].map((value) => round(value)), [
    "123,000",
    "1.23",
    "0.0123",
    "–",
  ]);
});
