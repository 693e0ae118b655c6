import { RoomClient } from "./room_client.ts";
import { RoomProcess } from "./room_process.ts";

/** How long all clients took to catch up, in milliseconds: by the clock, and of the server's CPU. */
export interface CatchUp {
  readonly tookMs: number;
  readonly cpuMs: number;
}

/** Lets all clients ask for their missed messages at the same time. */
export async function catchUp(
  address: string,
  { clients: count, messages }: { readonly clients: number; readonly messages: number },
): Promise<CatchUp> {
  await using server = await RoomProcess.start(address);
  await server.fill(messages);
  const clients: RoomClient[] = [];
  for (let client = 0; client < count; client++) {
    clients.push(await RoomClient.connect(`${server.url}/ws/kept`));
  }
  await clients[0]!.ask("history", { stream: "room" }); // Warms up.
  const before = await server.cpuMs();
  const startedAt = performance.now();
  const query = { stream: "room", after: 0, limit: messages };
  const replies = await Promise.all(clients.map((client) => client.ask("history", query)));
  const tookMs = performance.now() - startedAt;
  const cpuMs = await server.cpuMs() - before;
  const isWhole = replies.every((reply) => reply.split('"offset":').length - 2 === messages);
  if (!isWhole) throw new Error("A client did not get all messages");
  for (const client of clients) client.close();
  return { tookMs, cpuMs };
}
