import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { EXAMPLES, MEASURED, TYPICAL } from "../../tools/capacity/costs.ts";
import { mostEntries, simulateControlLog } from "../../tools/capacity/control_log.ts";
import { capacityOf } from "../../tools/capacity/model.ts";
import { countOperations } from "../../tools/capacity/operations.ts";
import { toTable } from "../../tools/capacity/report.ts";

const DOCUMENT = new URL("../../docs/guides/capacity.md", import.meta.url);
const PLACE = /(<!-- capacity -->\n)([^]*?)(\n<!-- end -->)/;

/** Removes the padding of a formatted table. */
function plain(table: string): string[] {
  const lines = table.trim().split("\n").filter((line) => !/^\| *-/.test(line));
  return lines.map((line) => line.split("|").map((cell) => cell.trim()).join("|"));
}

test("the capacity guide has the table that deno task capacity computes", async () => {
  const operations = await countOperations();
  const columns = EXAMPLES.map((load) => [load, capacityOf(load, MEASURED, operations)] as const);
  const table = toTable(columns);
  const text = await readFile(DOCUMENT, "utf8");
  if (Deno.env.get("UPDATE_DOCS") === "1") {
    return await writeFile(DOCUMENT, text.replace(PLACE, `$1\n${table}\n$3`));
  }
  assert.deepEqual(plain(PLACE.exec(text)?.[2] ?? ""), plain(table));
});

test("countOperations() counts what the guide says: two reads for an upgrade, a commit for a message", async () => {
  const { upgrade, ticket, message, poll, renewal } = await countOperations();
  assert.deepEqual(upgrade, { reads: 2, commits: 0 });
  assert.deepEqual(ticket, { reads: 0, commits: 1 });
  assert.deepEqual(poll, { reads: 1, commits: 0 });
  assert.equal(message.commits, 1);
  assert.equal(renewal.commits, 1);
});

test("capacityOf() grows with the sockets, except for the polls, which grow with the processes", async () => {
  const operations = await countOperations();
  const [small, large] = [10_000, 20_000].map((sockets) => {
    return capacityOf({ ...TYPICAL, sockets, hosts: 2 }, MEASURED, operations);
  });
  assert.equal(large!.commits.messages, 2 * small!.commits.messages);
  assert.equal(large!.reads.polls, small!.reads.polls);
  assert.equal(large!.redisIn, 2 * small!.redisIn);
  const spread = capacityOf({ ...TYPICAL, sockets: 10_000, hosts: 4 }, MEASURED, operations);
  assert.equal(spread.reads.polls, 2 * small!.reads.polls);
  assert.ok(spread.redisOut > small!.redisOut);
});

test("simulateControlLog() gives the same result for the same seed, and conflicts for many writers", () => {
  const load = { processes: 8, entriesPerSecond: 200, readMs: 0.5, commitMs: 1.5 };
  const result = simulateControlLog(load);
  assert.deepEqual(simulateControlLog(load), result);
  assert.notDeepEqual(simulateControlLog({ ...load, seed: 2 }), result);
  assert.ok(result.keepsUp && result.attempts > 1.1, JSON.stringify(result));
  const alone = simulateControlLog({ ...load, processes: 1 });
  assert.equal(alone.attempts.toFixed(1), "1.0");
  assert.ok(alone.p50Ms >= 2.5);
  assert.equal(simulateControlLog({ ...load, entriesPerSecond: 5_000 }).keepsUp, false);
});

test("mostEntries() of one process is what its operations allow one after the other", () => {
  const most = mostEntries({ processes: 1, readMs: 0.5, commitMs: 1.5 });
  assert.ok(most > 300 && most <= 400, String(most)); // 1 / 2.5 ms
});
