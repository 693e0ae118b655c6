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
    const room = openRoom(server.url, cutter);
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
  const sender = openRoom(server.url, new SocketCutter());
  const every = Math.max(1, Math.floor(load.messages / load.cuts));
  for (let number = 1; number <= load.messages; number++) {
    await sender.request("add", number);
    if (number % every === 0) cutter.cutOne(Math.random);
    await setTimeout(1_000 / load.perSecond);
  }
  while (heard.some((offsets) => offsets.at(-1) !== load.messages)) await setTimeout(20);
  for (const room of [...rooms, sender]) room.close();
  return { heard, recoveries, cuts: cutter.cuts, sent: load.messages };
}

/** What happened to the commands of {@linkcode commandsUnderCuts}. */
export interface CommandOutcome {
  readonly replies: ReadonlyMap<number, string>;
  readonly effects: ReadonlyMap<string, readonly string[]>;
  readonly cuts: number;
}

/** Sends commands over sockets that are often cut before a reply arrives. */
export async function commandsUnderCuts(
  store: StreamStore,
  load: { type: "add" | "run"; commands: number; cutShare: number; sockets: number },
): Promise<CommandOutcome> {
  const { server, effects } = serveStream(store);
  await using _ = server;
  return { ...await sendCommands(server.url, load), effects };
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
  const rooms = Array.from({ length: load.sockets }, () => openRoom(url, cutter));
  const replies = new Map<number, string>();
  const startedAt = performance.now();
  await Promise.all(rooms.map(async (room, socket) => {
    for (let number = socket; number < load.commands; number += load.sockets) {
      const dueMs = number * 1_000 / (load.perSecond ?? Infinity);
      await setTimeout(Math.max(0, startedAt + dueMs - performance.now()));
      const { id } = await room.request(load.type, number, { once: true });
      replies.set(number, id);
    }
  }));
  for (const room of rooms) room.close();
  return { replies, cuts: cutter.cuts };
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
    const room = openRoom(server.url, new SocketCutter(), { epoch, offset: from });
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
  return connect<typeof countMessages>(`${url}/ws/room`, {
    environment,
    streams: from === undefined ? {} : { room: { from } },
    user: "ada",
    baseDelayMs: 100,
    maxDelayMs: 1_000,
  });
}
