import { setTimeout } from "node:timers/promises";
import type { Recovery } from "../../../lib/client/stream_options.ts";
import { SocketCutter } from "./cut_socket.ts";
import { openBackend } from "./stream_backend.ts";
import type { StreamDatabase } from "./stream_database.ts";
import { openRoom, readAll, sendCommands, toEffects } from "./stream_load.ts";
import { StreamProcesses } from "./stream_processes.ts";

/** The load of {@linkcode commandsUnderKills}. */
export interface KillLoad {
  readonly commands: number;
  readonly perSecond: number;
  readonly processes: number;
  readonly killEveryMs: number;
  /** Share of the replies that cut their socket. */
  readonly cutShare: number;
  /** Each has one command in flight. */
  readonly sockets: number;
  /** After this time, kills the database server and starts it again. */
  readonly killDatabaseAfterMs?: number;
}

/** What {@linkcode commandsUnderKills} found. */
export interface KillOutcome {
  readonly kills: number;
  readonly cuts: number;
  /** Commands that were answered with `OUTCOME_UNKNOWN`. */
  readonly unknown: readonly number[];
  /** Commands that were answered but whose message is not in the stream. */
  readonly missing: readonly number[];
  /** Commands with more than one message. */
  readonly twice: readonly number[];
  /** Commands whose reply is not that of their message. */
  readonly otherReply: readonly number[];
  /** The numbers of messages in the stream, in order. */
  readonly stored: readonly number[];
  /** Those that a reader's handlers got, in order. */
  readonly heard: readonly number[];
  readonly recoveries: readonly Recovery[];
}

/** Sends keyed commands while the processes of the server are killed in turn. */
export async function commandsUnderKills(
  database: StreamDatabase,
  load: KillLoad,
): Promise<KillOutcome> {
  await using processes = await StreamProcesses.start(database, load.processes);
  await using backend = openBackend(database.kind, database.address, { maxMessages: 1_000_000 });
  const heard: number[] = [];
  const recoveries: Recovery[] = [];
  const reader = openRoom(`${processes.url}/ws/room`, new SocketCutter());
  reader.on("added", ({ number }) => void heard.push(number));
  reader.onRecovered((recovery) => void recoveries.push(recovery));
  while (reader.position("room") === undefined) await setTimeout(10);
  processes.killInTurn(load.killEveryMs);
  const restarted = killDatabase(database, load.killDatabaseAfterMs);
  const { replies, unknown, cuts } = await sendCommands(processes.url, { ...load, type: "add" });
  await restarted;
  const found = await readAll(backend.store);
  const last = found.at(-1)?.offset ?? 0;
  while ((reader.position("room")?.offset ?? 0) < last) await setTimeout(20);
  reader.close();
  const ids = toEffects(found);
  const numbers = [...replies.keys()];
  return {
    kills: processes.kills,
    cuts,
    unknown,
    missing: numbers.filter((number) => !ids.has(number)),
    twice: numbers.filter((number) => (ids.get(number)?.length ?? 0) > 1),
    otherReply: numbers.filter((number) => {
      return ids.has(number) && !ids.get(number)!.includes(replies.get(number)!);
    }),
    stored: found.map(({ number }) => number),
    heard,
    recoveries,
  };
}

async function killDatabase({ server }: StreamDatabase, afterMs: number | undefined) {
  if (afterMs === undefined || server === undefined) return;
  await setTimeout(afterMs);
  await server.kill();
  await server.restart();
}
