import { test } from "node:test";
import assert from "node:assert/strict";
import { chart } from "../../bench/harness/report/chart.ts";
import { contestResult } from "../support/bench_results.ts";

test("chart() scales each bar by its median, relative to the largest value", () => {
  const svg = chart(contestResult());
  const widths = [...svg.matchAll(/<rect class="([^"]+)"[^>]* width="([^"]+)"/g)]
    .map(([, kind, width]) => [kind, Number(width)]);
  const unit = 400 / 2200;
  assert.deepEqual(widths, [
    ["bar", Math.round(1000 * unit * 10) / 10],
    ["bar sluice", Math.round(900 * unit * 10) / 10],
  ]);
});

test("chart() is readable in light and dark themes", () => {
  const svg = chart(contestResult());
  assert.match(svg, /@media\(prefers-color-scheme:dark\)\{text\{fill:#e/);
  assert.match(svg, /aria-label="Echo"/);
});

test("chart() escapes names", () => {
  const svg = chart(contestResult({ title: `<script>&"` }));
  assert.ok(svg.includes(">&lt;script&gt;&amp;&quot;</text>"));
  assert.ok(!svg.includes("<script"));
});

test("chart() without peers is still an image", () => {
  assert.match(chart(contestResult({ contestants: [] })), /^<svg [^]*<\/svg>\n$/);
});
