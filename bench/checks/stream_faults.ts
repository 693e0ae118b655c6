/**
 * What do streams lose when sockets are cut and processes are killed? `deno task bench stream_faults`
 * takes about three minutes per database, `--quick` two for all; `--only Redis` measures one of them,
 * `--only memory` the store in memory.
 *
 * 1. 200 random cuts of readers' sockets under 100 messages per second; 500 clients that return from
 *    anywhere in a stream of which only the newest messages are kept.
 * 2. 10,000 commands with 20 % of the replies cut: appends, and commands with another effect.
 * 3. 10,000 appends with 20 % of the replies cut, while each of three processes is killed in turn, one
 *    every 2 s.
 * 4. The same with 200 messages per second, while the server of the database is killed as well: Redis
 *    with `appendfsync everysec`, or PostgreSQL.
 *
 * Exits with 1 if a message is missing, doubled or out of order. After Redis was killed, up to a second
 * of acknowledged messages may be missing, and readers that got them must be told.
 *
 * @module
 */
import { MemoryStreamStore, type StreamStore } from "@sluice/sluice/streams";
import type { StreamStoreOptions } from "../../lib/streams/stream_options.ts";
import { parseArgs } from "node:util";
import { commandsUnderKills, type KillOutcome } from "../../tests/support/streams/process_kills.ts";
import { type BackendKind, openBackend } from "../../tests/support/streams/stream_backend.ts";
import { startDatabase } from "../../tests/support/streams/stream_database.ts";
import {
  type CommandOutcome,
  commandsUnderCuts,
  type ReadOutcome,
  readUnderCuts,
  resumeAnywhere,
} from "../../tests/support/streams/stream_load.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean" }, only: { type: "string" } } });
const NAMES = ["memory", "Deno KV", "SQLite", "PostgreSQL", "Redis"] as const;
const names = NAMES.filter((name) => (values.only ?? name) === name);

/** Messages kept while clients return from anywhere. */
const KEPT = 100;

/** Messages kept otherwise: all. */
const maxMessages = 1_000_000;

const cuts = values.quick
  ? { messages: 200, perSecond: 100, cuts: 20, readers: 10 }
  : { messages: 2_000, perSecond: 100, cuts: 200, readers: 40 };
const commands = values.quick
  ? { commands: 400, sockets: 40, cutShare: 0.2 }
  : { commands: 10_000, sockets: 200, cutShare: 0.2 };
const kills = { ...commands, perSecond: 150, processes: 3, killEveryMs: 2_000 };

for (const name of names) {
  await withStore(name, { maxMessages }, async (store) => {
    reportCuts(name, await readUnderCuts(store, cuts));
  });
  await withStore(name, { maxMessages: KEPT }, (store) => reportResumes(name, store));
  for (const type of ["add", "run"] as const) {
    await withStore(name, { maxMessages }, async (store) => {
      reportCommands(`${name}, "${type}"`, await commandsUnderCuts(store, { ...commands, type }));
    });
  }
  if (name !== "memory") await checkKills(name);
}

async function withStore(
  name: typeof names[number],
  options: StreamStoreOptions,
  use: (store: StreamStore) => Promise<void>,
): Promise<void> {
  if (name === "memory") return await use(new MemoryStreamStore(options));
  await using database = await startDatabase(name);
  await using backend = openBackend(name, database.address, options);
  await use(backend.store);
}

async function checkKills(kind: BackendKind): Promise<void> {
  await using database = await startDatabase(kind);
  reportKills(`${kind}, processes killed`, await commandsUnderKills(database, kills), 0);
  await using other = await startDatabase(kind);
  if (other.server === undefined) return;
  const load = { ...kills, perSecond: 200, killDatabaseAfterMs: values.quick ? 1_000 : 20_000 };
  const mayMiss = kind === "Redis" ? load.perSecond : 0;
  reportKills(`${kind} and processes killed`, await commandsUnderKills(other, load), mayMiss);
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

function reportCommands(name: string, { replies, effects, unknown, cuts }: CommandOutcome): void {
  const isRight = replies.size === commands.commands && effects.size === replies.size &&
    [...effects].every(([number, ids]) => ids.length === 1 && ids[0] === replies.get(number));
  const outcome = isRight ? "each took effect once and was answered so" : "WRONG";
  console.log(
    `${name}: ${replies.size} commands answered, ${cuts} replies cut, ${effects.size} effects: ` +
      `${outcome}; ${unknown.length} of unknown outcome`,
  );
  if (!isRight) Deno.exitCode = 1;
}

function reportKills(name: string, outcome: KillOutcome, mayMiss: number): void {
  const { missing, twice, otherReply, unknown, stored, heard, recoveries } = outcome;
  const lost = recoveries.filter(({ recovered }) => !recovered).length;
  // A message that was lost, heard before and then sent again is heard twice.
  const heardLast = heard.filter((number, index) => heard.lastIndexOf(number) === index);
  const isStored = new Set(stored);
  const kept = lost > 0 ? heardLast.filter((number) => isStored.has(number)) : heard;
  const isHeard = JSON.stringify(kept) === JSON.stringify(stored);
  console.log(
    `${name}: ${outcome.kills} kills, ${outcome.cuts} cuts, ${stored.length} messages stored, ` +
      `${missing.length} acknowledged and missing, ${twice.length} twice, ${otherReply.length} with ` +
      `another reply, ${unknown.length} of unknown outcome; the reader ${
        isHeard ? "got each once and in order" : "is WRONG"
      }, was told ` +
      `of a loss ${lost} times`,
  );
  if (
    missing.length > mayMiss || twice.length + otherReply.length + unknown.length > 0 || !isHeard
  ) {
    Deno.exitCode = 1;
  }
}
