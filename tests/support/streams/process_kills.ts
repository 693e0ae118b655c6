import { setTimeout } from "node:timers/promises";
import type { Recovery } from "../../../lib/client/stream_options.ts";
import { SocketCutter } from "./cut_socket.ts";
import { openBackend } from "./stream_backend.ts";
import type { StreamDatabase } from "./stream_database.ts";
import { openRoom, sendCommands } from "./stream_load.ts";
import { StreamProcesses } from "./stream_processes.ts";

/** The load of {@linkcode commandsUnderKills}. */
export interface KillLoad {
  readonly commands: number;
  readonly perSecond: number;
  readonly processes: number;
  readonly killEveryMs: number;
  /** Share of the replies that cut their socket. */
  readonly cutShare: number;
  /** After this time, kills the database server and starts it again. */
  readonly killDatabaseAfterMs?: number;
}

/** What {@linkcode commandsUnderKills} found. */
export interface KillOutcome {
  readonly kills: number;
  readonly cuts: number;
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
  const reader = openRoom(processes.url, new SocketCutter());
  reader.on("added", ({ number }) => void heard.push(number));
  reader.onRecovered((recovery) => void recoveries.push(recovery));
  while (reader.position("room") === undefined) await setTimeout(10);
  processes.killInTurn(load.killEveryMs);
  const restarted = killDatabase(database, load.killDatabaseAfterMs);
  const { replies, cuts } = await sendCommands(processes.url, {
    ...load,
    type: "add",
    sockets: 10,
  });
  await restarted;
  const found = await readAll(backend.store);
  const last = found.at(-1)?.offset ?? 0;
  while ((reader.position("room")?.offset ?? 0) < last) await setTimeout(20);
  reader.close();
  const ids = new Map<number, string[]>();
  for (const { number, id } of found) ids.set(number, [...ids.get(number) ?? [], id]);
  const numbers = [...replies.keys()];
  return {
    kills: processes.kills,
    cuts,
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

async function readAll(store: ReturnType<typeof openBackend>["store"]) {
  const found: { readonly offset: number; readonly number: number; readonly id: string }[] = [];
  for (let after = 0;;) {
    const { messages, more } = await store.read("room", { after, limit: 500 });
    for (const { offset, data } of messages) {
      found.push({ offset, ...data as { number: number; id: string } });
    }
    if (!more) return found;
    after = found.at(-1)!.offset;
  }
}
