/**
 * What do streams lose when sockets are cut and processes are killed? `deno task bench stream_faults`
 * takes about 12 minutes, `--quick` less than two; `--only Redis` measures one database.
 *
 * 1. 200 random cuts of readers' sockets under 100 messages per second; 500 clients that return from
 *    anywhere in a stream of which only the newest messages are kept.
 * 2. 10,000 commands with 20 % of the replies cut, while each of three processes is killed in turn, one
 *    every 2 s.
 * 3. The same, while Redis with `appendfsync everysec` is killed under 200 messages per second.
 *
 * Exits with 1 if a message is missing, doubled or out of order. After Redis was killed, up to a second
 * of acknowledged messages may be missing, and readers that got them must be told.
 *
 * @module
 */
import { MemoryChannelLayer } from "@sluice/sluice/layers";
import { MemoryStreamStore, type StreamStore } from "@sluice/sluice/streams";
import { parseArgs } from "node:util";
import { commandsUnderKills, type KillOutcome } from "../../tests/support/streams/process_kills.ts";
import { type BackendKind, openBackend } from "../../tests/support/streams/stream_backend.ts";
import { startDatabase } from "../../tests/support/streams/stream_database.ts";
import {
  type ReadOutcome,
  readUnderCuts,
  resumeAnywhere,
} from "../../tests/support/streams/stream_load.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean" }, only: { type: "string" } } });
const KINDS: readonly BackendKind[] = ["Deno KV", "SQLite", "PostgreSQL", "Redis"];
const kinds = KINDS.filter((kind) => (values.only ?? kind) === kind);

/** Messages kept while clients return from anywhere. */
const KEPT = 100;

const cuts = values.quick
  ? { messages: 200, perSecond: 100, cuts: 20, readers: 3 }
  : { messages: 2_000, perSecond: 100, cuts: 200, readers: 10 };
const kills = values.quick
  ? { commands: 400, perSecond: 100, processes: 3, killEveryMs: 2_000, cutShare: 0.2 }
  : { commands: 10_000, perSecond: 150, processes: 3, killEveryMs: 2_000, cutShare: 0.2 };

if (values.only === undefined) {
  reportCuts("memory", await readUnderCuts(new MemoryStreamStore({ maxMessages: 10_000 }), cuts));
  await reportResumes("memory", new MemoryStreamStore({ maxMessages: KEPT }));
}
for (const kind of kinds) {
  await using database = await startDatabase(kind);
  await using backend = openBackend(kind, database.address, { maxMessages: 10_000 });
  reportCuts(
    kind,
    await readUnderCuts(backend.store, { ...cuts, layer: new MemoryChannelLayer() }),
  );
  await using other = await startDatabase(kind);
  await using small = openBackend(kind, other.address, { maxMessages: KEPT });
  await reportResumes(kind, small.store);
}
for (const kind of kinds) {
  await using database = await startDatabase(kind);
  reportKills(`${kind}, processes killed`, await commandsUnderKills(database, kills), 0);
}
if (kinds.includes("Redis")) {
  await using database = await startDatabase("Redis");
  const load = { ...kills, perSecond: 200, killDatabaseAfterMs: values.quick ? 1_000 : 20_000 };
  reportKills("Redis and processes killed", await commandsUnderKills(database, load), 200);
}

function reportCuts(name: string, { heard, recoveries, cuts, sent }: ReadOutcome): void {
  const expected = JSON.stringify(Array.from({ length: sent }, (_, index) => index + 1));
  const isRight = heard.every((offsets) => JSON.stringify(offsets) === expected);
  const recovered = recoveries.filter((recovery) => recovery.recovered).length;
  const outcome = isRight ? "each message once and in order" : "WRONG";
  console.log(`${name}: ${cuts} cuts, ${sent} messages: ${outcome}; recovered ${recovered} times`);
  if (!isRight || recovered < recoveries.length) Deno.exitCode = 1;
}

async function reportResumes(name: string, store: StreamStore): Promise<void> {
  const load = { messages: 3 * KEPT, clients: values.quick ? 50 : 500 };
  const outcomes = await resumeAnywhere(store, load);
  const outside = outcomes.filter(({ from }) => from < load.messages - KEPT);
  const isRight = outcomes.every(({ from, recovered }) => {
    return recovered === from >= load.messages - KEPT;
  });
  const outcome = isRight ? "all were told so, and no others" : "WRONG";
  console.log(`${name}: ${outside.length} of ${load.clients} clients missed messages: ${outcome}`);
  if (!isRight) Deno.exitCode = 1;
}

function reportKills(name: string, outcome: KillOutcome, mayMiss: number): void {
  const { missing, twice, otherReply, stored, heard, recoveries } = outcome;
  const lost = recoveries.filter(({ recovered }) => !recovered).length;
  // A message that was lost, heard before and then sent again is heard twice.
  const heardLast = heard.filter((number, index) => heard.lastIndexOf(number) === index);
  const isStored = new Set(stored);
  const kept = lost > 0 ? heardLast.filter((number) => isStored.has(number)) : heard;
  const isHeard = JSON.stringify(kept) === JSON.stringify(stored);
  console.log(
    `${name}: ${outcome.kills} kills, ${outcome.cuts} cuts, ${stored.length} messages stored, ` +
      `${missing.length} acknowledged and missing, ${twice.length} twice, ${otherReply.length} with ` +
      `another reply; the reader ${
        isHeard ? "got each once and in order" : "is WRONG"
      }, was told ` +
      `of a loss ${lost} times`,
  );
  if (missing.length > mayMiss || twice.length + otherReply.length > 0 || !isHeard) {
    Deno.exitCode = 1;
  }
}
