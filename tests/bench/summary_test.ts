import { test } from "node:test";
import assert from "node:assert/strict";
import { judge, summarise } from "../../bench/harness/report/summary.ts";
import { contestResult } from "../support/bench_results.ts";

test("summarise() uses the median of the ratios, not the ratio of the medians", () => {
  const row = summarise(contestResult()).find(({ name }) => name === "Sluice");
  assert.deepEqual(row?.ratio, { median: 1.1, min: 0.9, max: 1.2 });
  assert.deepEqual(row?.value, { median: 900, min: 600, max: 2200 });
});

test("summarise() sorts the best first, for both directions", () => {
  const names = (better: "more" | "less") =>
    summarise(contestResult({ better })).map(({ name }) => name);
  assert.deepEqual(names("more"), ["bare Deno", "Sluice"]);
  assert.deepEqual(names("less"), ["Sluice", "bare Deno"]);
});

test("summarise() omits figures without measurements", () => {
  const [row] = summarise(contestResult({ baseline: "nobody" }));
  assert.deepEqual(Object.keys(row ?? {}).sort(), ["cpu", "name", "value"]);
});

test("judge() requires at least the target if more is better, and at most the target of CPU time", () => {
  const target = { of: "Sluice", against: "bare Deno" };
  const reached = (ratio: number, figure?: "cpu") =>
    judge(contestResult({ targets: [{ ...target, ratio, ...figure && { figure } }] }))
      .map(({ isReached }) => isReached);
  assert.deepEqual([reached(1.1), reached(1.11)], [[true], [false]]);
  assert.deepEqual([reached(1.1, "cpu"), reached(1.09, "cpu")], [[true], [false]]);
});

test("judge() requires at most the target or limit if less is better", () => {
  const target = { of: "Sluice", against: "bare Deno", ratio: 1.05 };
  const limits = [{ of: "Sluice", limit: 900 }, { of: "Sluice", limit: 899 }];
  const verdicts = judge(contestResult({ better: "less", targets: [target], limits }));
  assert.deepEqual(verdicts.map(({ isReached }) => isReached), [false, true, false]);
});

test("judge() ignores peers without measurements", () => {
  const targets = [{ of: "Sluice", against: "Bun", ratio: 0.5 }];
  const limits = [{ of: "Bun", limit: 1 }];
  assert.deepEqual(judge(contestResult({ targets, limits })), []);
});
