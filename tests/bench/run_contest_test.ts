import { test } from "node:test";
import assert from "node:assert/strict";
import { describeChange } from "../../bench/harness/compare_revisions.ts";
import { runContest } from "../../bench/harness/run_contest.ts";
import { contestResult } from "../support/bench_results.ts";

const { contestants: _contestants, absent: _absent, ...head } = contestResult();

test("runContest() measures peers in turn, and reverses the order in every other round", async () => {
  const order: string[] = [];
  const contestants = ["a", "b"].map((name) => ({
    name,
    measure: () => Promise.resolve({ value: order.push(name) }),
  }));
  const result = await runContest({ ...head, contestants, absent: [] }, 3);
  assert.deepEqual(order, ["a", "b", "b", "a", "a", "b"]);
  assert.deepEqual(result.contestants.map(({ rounds }) => rounds.map(({ value }) => value)), [
    [1, 4, 5],
    [2, 3, 6],
  ]);
});

test("runContest() excludes a failing peer and continues with the others", async () => {
  let tries = 0;
  const failing = () => ++tries === 2 ? Promise.reject(new Error("it fell over")) : one();
  const one = () => Promise.resolve({ value: 1 });
  const contestants = [{ name: "a", measure: one }, { name: "b", measure: failing }];
  const absent = [{ name: "c", reason: "there is none" }];
  const result = await runContest({ ...head, contestants, absent }, 3);
  assert.deepEqual(result.contestants.map(({ name, rounds }) => [name, rounds.length]), [["a", 3]]);
  assert.deepEqual(result.absent, [...absent, { name: "b", reason: "it fell over" }]);
  assert.equal(tries, 2);
});

test("describeChange() reports a change only if it exceeds the noise of one revision", () => {
  const change = (again: number, now: number, better: "more" | "less" = "more") =>
    describeChange(contestResult({
      better,
      contestants: [["before", 100], ["before, again", again], ["now", now]]
        .map(([name, value]) => ({ name: String(name), rounds: [{ value: Number(value) }] })),
    }));
  assert.equal(change(103, 110), "change +10.0 %, noise ±3.0 %: better");
  assert.equal(change(103, 90), "change −10.0 %, noise ±3.0 %: worse");
  assert.equal(change(103, 90, "less"), "change −10.0 %, noise ±3.0 %: better");
  assert.equal(change(88, 110), "change +10.0 %, noise ±12.0 %: noise");
});
