import { test } from "node:test";
import assert from "node:assert/strict";
import { pid } from "node:process";
import { createLog } from "@sluice/sluice/server";

/** Collects the lines of a log. */
function written(format: "text" | "json"): { lines: string[]; log: ReturnType<typeof createLog> } {
  const lines: string[] = [];
  return { lines, log: createLog({ format, write: (line) => lines.push(line), now: () => 0 }) };
}

test("createLog() writes the process id in every line of text", () => {
  const { lines, log } = written("text");
  log.info("Began", { user: "ada", count: 2 });
  log.warn("No fields");
  assert.deepEqual(lines, [
    `1970-01-01T00:00:00.000Z INFO  Began pid=${pid} user=ada count=2`,
    `1970-01-01T00:00:00.000Z WARN  No fields pid=${pid}`,
  ]);
});

test("createLog() writes the process id in every line of JSON", () => {
  const { lines, log } = written("json");
  log.info("Began", { user: "ada" });
  assert.deepEqual(lines.map((line) => JSON.parse(line)), [
    { time: "1970-01-01T00:00:00.000Z", level: "info", pid, message: "Began", user: "ada" },
  ]);
});
