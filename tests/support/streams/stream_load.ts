import { setTimeout } from "node:timers/promises";
import { connect, type RealtimeSocket } from "@sluice/sluice/client";
import type { Recovery } from "../../../lib/client/stream_options.ts";
import type { ChannelLayer } from "@sluice/sluice/layers";
import type { StreamPosition, StreamStore } from "@sluice/sluice/streams";
import { SocketCutter } from "./cut_socket.ts";
import { type countMessages, serveStream } from "./stream_server.ts";

type Room = RealtimeSocket<typeof countMessages>;

/** What the readers of {@linkcode readUnderCuts} got. */
export interface ReadOutcome {
  /** The offsets that each reader's handlers got, in order. */
  readonly heard: readonly (readonly number[])[];
  readonly recoveries: readonly Recovery[];
  readonly cuts: number;
  readonly sent: number;
}

/** Cuts sockets at random while messages are sent, and waits until every reader has the last one. */
export async function readUnderCuts(
  store: StreamStore,
  load: {
    messages: number;
    perSecond: number;
    cuts: number;
    readers: number;
    layer?: ChannelLayer;
  },
): Promise<ReadOutcome> {
  const { server } = serveStream(store, load.layer);
  await using _ = server;
  const cutter = new SocketCutter();
  const recoveries: Recovery[] = [];
  const rooms: Room[] = [];
  const heard: number[][] = [];
  for (let reader = 0; reader < load.readers; reader++) {
    const room = openRoom(`${server.url}/ws/room`, cutter);
    const mine: number[] = [];
    const entered = Promise.withResolvers<void>();
    room.onState((state) => state === "live" && entered.resolve());
    room.on("added", (_data, { offset }) => void mine.push(offset!));
    room.onRecovered((recovery) => void recoveries.push(recovery));
    await entered.promise;
    rooms.push(room);
    heard.push(mine);
  }
  while (rooms.some((room) => room.position("room") === undefined)) await setTimeout(5);
  const sender = openRoom(`${server.url}/ws/room`, new SocketCutter());
  const every = Math.max(1, Math.floor(load.messages / load.cuts));
  const startedAt = performance.now();
  for (let number = 1; number <= load.messages; number++) {
    await due(startedAt, number, load.perSecond);
    await sender.request("add", number);
    if (number % every === 0) cutter.cutOne(Math.random);
  }
  while (heard.some((offsets) => offsets.at(-1) !== load.messages)) await setTimeout(20);
  for (const room of [...rooms, sender]) room.close();
  return { heard, recoveries, cuts: cutter.cuts, sent: load.messages };
}

/** What happened to the commands of {@linkcode commandsUnderCuts}. */
export interface CommandOutcome {
  /** The id in the reply to each command. */
  readonly replies: ReadonlyMap<number, string>;
  /** The ids of what each command did. */
  readonly effects: ReadonlyMap<number, readonly string[]>;
  /** Commands that were answered with `OUTCOME_UNKNOWN`. */
  readonly unknown: readonly number[];
  readonly cuts: number;
}

/** Sends commands over sockets that are often cut before a reply arrives. */
export async function commandsUnderCuts(
  store: StreamStore,
  load: { type: "add" | "run"; commands: number; cutShare: number; sockets: number },
): Promise<CommandOutcome> {
  const { server, effects } = serveStream(store);
  await using _ = server;
  const outcome = await sendCommands(server.url, load);
  return { ...outcome, effects: load.type === "run" ? effects : toEffects(await readAll(store)) };
}

/** A stored message of a command. */
export interface StoredCommand {
  readonly offset: number;
  readonly number: number;
  readonly id: string;
}

/** Reads the whole stream. */
export async function readAll(store: StreamStore): Promise<readonly StoredCommand[]> {
  const found: StoredCommand[] = [];
  for (let after = 0;;) {
    const { messages, more } = await store.read("room", { after, limit: 500 });
    for (const { offset, data } of messages) {
      found.push({ offset, ...data as { number: number; id: string } });
    }
    if (!more) return found;
    after = found.at(-1)!.offset;
  }
}

/** Returns the ids of the messages of each command. */
export function toEffects(stored: readonly StoredCommand[]): Map<number, string[]> {
  const ids = new Map<number, string[]>();
  for (const { number, id } of stored) ids.set(number, [...ids.get(number) ?? [], id]);
  return ids;
}

/** Sends commands to a server, each until it is answered. Some replies cut their sockets instead. */
export async function sendCommands(
  url: string,
  load: {
    type: "add" | "run";
    commands: number;
    cutShare: number;
    sockets: number;
    perSecond?: number;
  },
): Promise<Omit<CommandOutcome, "effects">> {
  const cutter = new SocketCutter();
  cutter.lets = (text) => {
    const isReply = text.includes('"ok":true,"data":{"id"');
    return !isReply || Math.random() >= load.cutShare;
  };
  const rooms = Array.from({ length: load.sockets }, () => openRoom(`${url}/ws/send`, cutter));
  const replies = new Map<number, string>();
  const unknown: number[] = [];
  const startedAt = performance.now();
  await Promise.all(rooms.map(async (room, socket) => {
    for (let number = socket; number < load.commands; number += load.sockets) {
      await due(startedAt, number, load.perSecond);
      try {
        const { id } = await room.request(load.type, number, { once: true });
        replies.set(number, id);
      } catch (error) {
        if ((error as { code?: string }).code !== "OUTCOME_UNKNOWN") throw error;
        unknown.push(number);
      }
    }
  }));
  for (const room of rooms) room.close();
  return { replies, unknown, cuts: cutter.cuts };
}

/** Waits until a message is due; without a rate, it is due at once. */
async function due(startedAt: number, number: number, perSecond = Infinity): Promise<void> {
  await setTimeout(Math.max(0, startedAt + number * 1_000 / perSecond - performance.now()));
}

/** The reports and messages that a client of {@linkcode resumeAnywhere} received. */
export interface ResumeOutcome {
  /** The offset of the last message that it had. */
  readonly from: number;
  readonly recovered: boolean;
  readonly heard: readonly number[];
}

/** Lets clients return with random positions to a stream of which only the newest messages are kept. */
export async function resumeAnywhere(
  store: StreamStore,
  load: { messages: number; clients: number },
): Promise<readonly ResumeOutcome[]> {
  const { server } = serveStream(store);
  await using _ = server;
  for (let number = 1; number <= load.messages; number++) {
    await store.append("room", { type: "added", data: { number, id: "" } });
  }
  const { epoch } = await store.state("room");
  return await Promise.all(Array.from({ length: load.clients }, async () => {
    const from = Math.floor(Math.random() * load.messages);
    const room = openRoom(`${server.url}/ws/room`, new SocketCutter(), { epoch, offset: from });
    const heard: number[] = [];
    const told = Promise.withResolvers<boolean>();
    room.on("added", (_data, { offset }) => void heard.push(offset!));
    room.onRecovered(({ recovered }) => told.resolve(recovered));
    const recovered = await told.promise;
    while (heard.at(-1) !== load.messages) await setTimeout(5);
    room.close();
    return { from, recovered, heard };
  }));
}

/** Opens the client of a room, which continues at a position. */
export function openRoom(url: string, { WebSocket }: SocketCutter, from?: StreamPosition): Room {
  const environment = { WebSocket };
  return connect<typeof countMessages>(url, {
    environment,
    streams: from === undefined ? {} : { room: { from } },
    user: "ada",
    baseDelayMs: 100,
    maxDelayMs: 1_000,
  });
}
