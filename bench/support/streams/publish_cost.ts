import { RoomClient } from "./room_client.ts";
import { RoomProcess } from "./room_process.ts";

/** The size of a measurement. */
export interface PublishLoad {
  readonly members: number;
  readonly publishes: number;
  readonly rounds: number;
}

/** What one publish costs the server, in milliseconds of CPU. */
export interface PublishCost {
  readonly plainMs: number;
  readonly keptMs: number;
  /** The median of the ratios of all rounds. */
  readonly ratio: number;
}

/** Measures publishes to a group, and to the same as a stream, in turn. */
export async function publishCost(address: string, load: PublishLoad): Promise<PublishCost> {
  await using server = await RoomProcess.start(address);
  const rooms = [
    await enter(server, "plain", load.members),
    await enter(server, "kept", load.members),
  ];
  const costs: [plain: number, kept: number][] = [];
  for (let round = -1; round < load.rounds; round++) {
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    const cost: [number, number] = [0, 0];
    for (const index of order) cost[index] = await measure(server, rooms[index]!, load.publishes);
    if (round >= 0) costs.push(cost); // The first one warms up.
  }
  for (const { clients } of rooms) for (const client of clients) client.close();
  return {
    plainMs: median(costs.map(([plain]) => plain)),
    keptMs: median(costs.map(([, kept]) => kept)),
    ratio: median(costs.map(([plain, kept]) => kept / plain)),
  };
}

interface Room {
  readonly clients: readonly RoomClient[];
  /** Resolves when members have got so many messages. */
  readonly heard: (count: number) => Promise<void>;
}

async function enter(server: RoomProcess, path: string, members: number): Promise<Room> {
  let [left, resolve] = [0, () => {}];
  const said = () => {
    if (--left === 0) resolve();
  };
  const clients: RoomClient[] = [];
  for (let member = 0; member < members; member++) {
    clients.push(await RoomClient.connect(`${server.url}/ws/${path}`, said));
  }
  const heard = (count: number) => {
    left = count;
    return new Promise<void>((done) => resolve = done);
  };
  return { clients, heard };
}

async function measure(server: RoomProcess, { clients, heard }: Room, publishes: number) {
  const text = "x".repeat(100);
  const before = await server.cpuMs();
  const all = heard(clients.length * publishes);
  for (let number = 0; number < publishes; number++) await clients[0]!.ask("say", { text });
  await all;
  return (await server.cpuMs() - before) / publishes;
}

/** Returns the middle one of some numbers. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}
