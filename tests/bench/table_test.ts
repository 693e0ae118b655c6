import { test } from "node:test";
import assert from "node:assert/strict";
import { page } from "../../bench/harness/report/page.ts";
import type { QuestionResult } from "../../bench/harness/report/result.ts";
import { remarks, table } from "../../bench/harness/report/table.ts";
import { contestResult } from "../support/bench_results.ts";

test("table() puts ratios first and omits empty columns", () => {
  assert.equal(
    table(contestResult()),
    [
      "| peer      |      × bare Deno |        messages/s | CPU-s per million | load busy |",
      "| --------- | ---------------: | ----------------: | ----------------: | --------: |",
      "| bare Deno |             1.00 | 1,000 (500–2,000) |                10 |           |",
      "| Sluice    | 1.10 (0.90–1.20) |   900 (600–2,200) |                11 |      0.50 |",
    ].join("\n"),
  );
  assert.equal(table(contestResult({ contestants: [] })), "");
});

test("remarks() lists targets, missing peers and a saturated load generator", () => {
  const busy = { name: "Bun", rounds: [{ value: 9, busy: 0.97 }] };
  const { contestants } = contestResult();
  assert.deepEqual(
    remarks(contestResult({
      contestants: [...contestants, busy],
      absent: [{ name: "ws", reason: "there is no npm" }],
      targets: [
        { of: "Sluice", against: "bare Deno", ratio: 0.95 },
        { of: "Sluice", against: "bare Deno", ratio: 1.05, figure: "cpu" },
      ],
      limits: [{ of: "Sluice", limit: 17 }],
    })),
    [
      "reached: Sluice 1.10 × bare Deno; target 0.95 or more",
      "MISSED: Sluice 1.10 × bare Deno in processor time; target 1.05 or less",
      "MISSED: Sluice 900 messages/s; target 17 or less",
      "The load was the bottleneck of Bun: it could do more.",
      "Left out: ws, as there is no npm.",
    ],
  );
});

test("page() describes the run, the machine and the command to repeat it", () => {
  const result: QuestionResult = {
    name: "echo",
    title: "Echo",
    about: "What a message costs.",
    measuredAt: "2026-11-28T06:00:00.000Z",
    revision: "abc1234",
    rounds: 5,
    seconds: 3,
    machine: {
      processor: "Z80",
      processors: 2,
      memory: 4,
      system: "linux 6",
      pinning: "server pinned to one processor, load to another",
      versions: { deno: "2.9.6", v8: "14", socketIo: "4.8.4" },
    },
    contests: [contestResult()],
  };
  const text = page([result]);
  assert.match(text, /^## Echo\n\nWhat a message costs\.\n/);
  assert.match(text, /`deno task bench echo --rounds 5 --seconds 3`: 5 rounds of 3 s each/);
  assert.match(text, /2026-11-28, at abc1234; Z80, 2 processors, 4 GiB, linux 6; server pinned/);
  assert.match(text, /Deno 2\.9\.6, Socket\.IO 4\.8\.4\./);
  assert.match(text, /!\[Echo\]\(images\/bench\/echo\/echo\.svg\)\n\n\| peer /);
});

test("page() marks missing measurements", () => {
  assert.equal(page([]), "Nothing has been measured yet.\n");
});
