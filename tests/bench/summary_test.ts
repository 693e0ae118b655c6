import { test } from "node:test";
import assert from "node:assert/strict";
import { judge, summarise } from "../../bench/harness/summary.ts";
import { contestResult } from "./results.ts";

test("summarise() takes the median of the ratios, not the ratio of the medians", () => {
  const row = summarise(contestResult()).find(({ name }) => name === "Sluice");
  assert.deepEqual(row?.ratio, { median: 1.1, min: 0.9, max: 1.2 });
  assert.deepEqual(row?.value, { median: 900, min: 600, max: 2200 });
});

test("summarise() puts the best first, whichever way is better", () => {
  const names = (better: "more" | "less") =>
    summarise(contestResult({ better })).map(({ name }) => name);
  assert.deepEqual(names("more"), ["bare Deno", "Sluice"]);
  assert.deepEqual(names("less"), ["Sluice", "bare Deno"]);
});

test("summarise() has no figure that nobody measured", () => {
  const [row] = summarise(contestResult({ baseline: "nobody" }));
  assert.deepEqual(Object.keys(row ?? {}).sort(), ["cpu", "name", "value"]);
});

test("judge() wants at least a target where more is better, and at most one of processor time", () => {
  const target = { of: "Sluice", against: "bare Deno" };
  const reached = (ratio: number, figure?: "cpu") =>
    judge(contestResult({ targets: [{ ...target, ratio, ...figure && { figure } }] }))
      .map(({ isReached }) => isReached);
  assert.deepEqual([reached(1.1), reached(1.11)], [[true], [false]]);
  assert.deepEqual([reached(1.1, "cpu"), reached(1.09, "cpu")], [[true], [false]]);
});

test("judge() wants at most a target or a limit where less is better", () => {
  const target = { of: "Sluice", against: "bare Deno", ratio: 1.05 };
  const limits = [{ of: "Sluice", limit: 900 }, { of: "Sluice", limit: 899 }];
  const verdicts = judge(contestResult({ better: "less", targets: [target], limits }));
  assert.deepEqual(verdicts.map(({ isReached }) => isReached), [false, true, false]);
});

test("judge() says nothing of those who were not measured", () => {
  const targets = [{ of: "Sluice", against: "Bun", ratio: 0.5 }];
  const limits = [{ of: "Bun", limit: 1 }];
  assert.deepEqual(judge(contestResult({ targets, limits })), []);
});
