/**
 * What do streams cost? `deno task bench streams`; `--quick` measures less, with a wider tolerance;
 * `--only publish`, `--only catch-up` or `--only long` measures one part.
 *
 * 1. A publish to 1,000 members of a stream, relative to one of a group: CPU time of the server, in
 *    memory (at most 1.15) and on Redis (at most 1.3).
 * 2. The catch-up of 1,000 clients with 100 messages each (at most 2 s of CPU time).
 * 3. Appends to a stream of 1,000,000 messages and reads of its newest ones, relative to a stream of
 *    1,000 (at most 1.1), in memory, on SQLite and on Redis. Reads anywhere are printed, too.
 *
 * Exits with 1 if a limit is exceeded.
 *
 * @module
 */
import { MemoryStreamStore } from "@sluice/sluice/streams";
import { parseArgs } from "node:util";
import { findRedis } from "../../tools/provide/redis.ts";
import { type BackendKind, openBackend } from "../../tests/support/streams/stream_backend.ts";
import { startDatabase } from "../../tests/support/streams/stream_database.ts";
import { catchUp } from "../support/streams/catch_up.ts";
import { longStream, type LongStreamCost } from "../support/streams/long_stream.ts";
import { publishCost } from "../support/streams/publish_cost.ts";

const { values: { quick = false, only } } = parseArgs({
  options: { quick: { type: "boolean" }, only: { type: "string" } },
});
const SLACK = quick ? 1.5 : 1;
const hasRedis = findRedis() !== undefined;
const publishes = quick
  ? { members: 1_000, publishes: 10, rounds: 10 }
  : { members: 1_000, publishes: 20, rounds: 60 };
const crowd = quick ? { clients: 500, messages: 100 } : { clients: 1_000, messages: 100 };
const lengths = quick
  ? { short: 1_000, long: 20_000, calls: 100, rounds: 3 }
  : { short: 1_000, long: 1_000_000, calls: 300, rounds: 15 };
const kept = { maxMessages: 2_000_000, maxBytes: 2 ** 32, maxAgeMs: 86_400_000 };

if (wants("publish")) await reportPublish("in memory", "memory", 1.15);
if (wants("publish") && hasRedis) {
  await using redis = await startDatabase("Redis");
  await reportPublish("on Redis", redis.address, 1.3);
}
if (wants("catch-up")) await reportCatchUp("in memory", "memory");
if (wants("catch-up") && hasRedis) {
  await using redis = await startDatabase("Redis");
  await reportCatchUp("on Redis", redis.address);
}
if (wants("long")) {
  const memory = new MemoryStreamStore({ ...kept, maxTotalBytes: 2 ** 32 });
  reportLong("memory", await longStream(memory, lengths));
  await memory.close();
  const kinds: BackendKind[] = hasRedis ? ["SQLite", "Redis"] : ["SQLite"];
  for (const kind of kinds) {
    await using database = await startDatabase(kind);
    await using backend = openBackend(kind, database.address, kept);
    reportLong(kind, await longStream(backend.store, lengths));
  }
}

function wants(part: string): boolean {
  return only === undefined || only === part;
}

async function reportPublish(where: string, address: string, limit: number): Promise<void> {
  const { plainMs, keptMs, ratio } = await publishCost(address, publishes);
  console.log(
    `A publish to ${publishes.members} members ${where}: ${plainMs.toFixed(2)} ms, with history ` +
      `${keptMs.toFixed(2)} ms: × ${ratio.toFixed(2)} (limit ${limit})`,
  );
  check(ratio, limit);
}

async function reportCatchUp(where: string, address: string): Promise<void> {
  const { tookMs, cpuMs } = await catchUp(address, crowd);
  console.log(
    `${crowd.clients} clients catch up with ${crowd.messages} messages each ${where}: ` +
      `${cpuMs.toFixed(0)} ms of CPU time, after ${tookMs.toFixed(0)} ms (limit 2000)`,
  );
  check(cpuMs, 2_000);
}

function reportLong(where: string, cost: LongStreamCost): void {
  const { appendRatio, readRatio, coldRatio, appendMs, readMs } = cost;
  console.log(
    `A stream of ${lengths.long} messages in ${where}, relative to ${lengths.short}: append × ` +
      `${appendRatio.toFixed(2)} (${appendMs.toFixed(3)} ms), read × ${readRatio.toFixed(2)} ` +
      `(${readMs.toFixed(3)} ms), read anywhere × ${coldRatio.toFixed(2)}`,
  );
  check(Math.max(appendRatio, readRatio), 1.1);
}

function check(value: number, limit: number): void {
  if (value > limit * SLACK) Deno.exitCode = 1;
}
