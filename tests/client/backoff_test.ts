import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  backoffMs,
  clampMs,
  MAX_ADVERTISED_MS,
  parseRetryAfter,
  parseRetryWindow,
} from "../../lib/client/backoff.ts";

const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const anyFailures = fc.nat(5000);

test("backoffMs() stays below its bound and uses the whole range", () => {
  fc.assert(fc.property(anyFailures, anyRandom, (failures, chance) => {
    const ms = backoffMs(failures, { baseDelayMs: 500, maxDelayMs: 20_000, random: () => chance });
    const bound = Math.min(20_000, 500 * 2 ** failures);
    assert.ok(Number.isInteger(ms) && ms >= 0 && ms < bound);
    assert.ok(Math.abs(ms - chance * bound) <= 1);
  }));
});

test("backoffMs() never has a lower bound for a later delay", () => {
  fc.assert(fc.property(anyFailures, anyRandom, (failures, chance) => {
    const backoff = { baseDelayMs: 500, maxDelayMs: 20_000, random: () => chance };
    assert.ok(backoffMs(failures, backoff) <= backoffMs(failures + 1, backoff));
  }));
});

test("parseRetryWindow() reads only `retry=N` as a whole word", () => {
  const cases: [string, number | undefined][] = [
    ["retry=10000", 10_000],
    ["The server restarts; retry=500", 500],
    ["restart,retry=0", 0],
    ["retry=999999999", MAX_ADVERTISED_MS],
    ["", undefined],
    ["retry", undefined],
    ["retry=", undefined],
    ["retry=-5", undefined],
    ["retry=1.5", undefined],
    ["retry=1e9", undefined],
    ["noretry=5", undefined],
    ["retry=9999999999", undefined],
  ];
  for (const [reason, window] of cases) assert.equal(parseRetryWindow(reason), window, reason);
});

test("parseRetryWindow() returns a number within bounds or undefined for any reason", () => {
  fc.assert(fc.property(fc.string(), (reason) => {
    const ms = parseRetryWindow(`retry=${reason}`);
    assert.ok(ms === undefined || (Number.isInteger(ms) && ms >= 0 && ms <= MAX_ADVERTISED_MS));
  }));
});

test("parseRetryAfter() reads seconds and dates", () => {
  const date = "Sun, 22 Nov 2026 10:00:00 GMT";
  const cases: [string | null, number | undefined][] = [
    ["3", 3000],
    ["0", 0],
    ["86400", MAX_ADVERTISED_MS],
    ["Sun, 22 Nov 2026 10:00:07 GMT", 7000],
    ["Sun, 22 Nov 2026 09:00:00 GMT", 0],
    ["soon", undefined],
    [null, undefined],
  ];
  for (const [header, ms] of cases) assert.equal(parseRetryAfter(header, date), ms, String(header));
  assert.equal(parseRetryAfter("Sun, 22 Nov 2026 10:00:07 GMT", null), undefined);
  assert.equal(parseRetryAfter("3", null), 3000);
});

test("clampMs() returns a time within the range of a timer for any input", () => {
  const cases: [number | undefined, number][] = [
    [undefined, 500],
    [NaN, 500],
    [Infinity, 2 ** 31 - 1],
    [2 ** 31, 2 ** 31 - 1],
    [-Infinity, 100],
    [-1, 100],
    [0, 100],
    [101, 101],
  ];
  for (const [ms, clamped] of cases) assert.equal(clampMs(ms, 500, 100), clamped, String(ms));
});
