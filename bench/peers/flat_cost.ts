/**
 * The cost of one delivery next to unrelated groups, sockets or users, in µs of processor time: the
 * median of batches.
 *
 * `flat_cost.ts groups|sockets|presence OTHERS`; prints `{ "value": 1.5 }`.
 *
 * @module
 */
import type { LayerMessage, Scope } from "@sluice/sluice";
import { allowAnonymous } from "@sluice/sluice/auth";
import { cpuUsage } from "node:process";
import { Consumer } from "@sluice/sluice/consumers";
import { layer as withLayer, type LayerScope, MemoryChannelLayer } from "@sluice/sluice/layers";
import { Presence } from "@sluice/sluice/presence";
import { route, stack } from "@sluice/sluice/routing";
import { anyOrigin } from "@sluice/sluice/security";
import { toHandler } from "@sluice/sluice/server";
import type { Socket, SocketEvents, Transport } from "../../lib/core/transport.ts";
import { median } from "../harness/report/statistics.ts";

const BATCHES = 31;
const BATCH = 20_000;

/** Time for the garbage collector to finish after opening. */
const REST_MS = 500;
const MEMBERS = 100;
const ROOM = 10;

const [kind = "groups", count = "100"] = Deno.args;
const others = Number(count);
const layer = new MemoryChannelLayer();
const presence = new Presence<string>(layer, {
  joined: (name) => ({ type: "joined", data: name }),
  left: (name) => ({ type: "left", data: name }),
});

interface RoomScope extends Scope, LayerScope {
  readonly params: { readonly room: string; readonly name: string };
}

class Room extends Consumer<RoomScope> {
  override get groups() {
    return [this.scope.params.room];
  }
  override async connect(): Promise<void> {
    await this.accept();
    if (kind !== "presence") return;
    const { connection, params: { room, name } } = this.scope;
    await presence.enter(room, { key: name, meta: name }, { connection });
  }
  override async receive(data: string | Uint8Array): Promise<void> {
    if (kind === "presence") presence.list(this.scope.params.room);
    await this.groupSend(this.scope.params.room, { type: "said", data: String(data) });
  }
  override event({ data }: LayerMessage): void {
    this.send(String(data));
  }
}

const value = kind === "groups" ? await groups() : await sockets();
console.log(JSON.stringify({ value }));
Deno.exit();

/** A group of 100 mailboxes, and other groups with one each. */
async function groups(): Promise<number> {
  const join = async (group: string) => {
    const channel = layer.newChannel();
    layer.attach(channel, { deliver: () => true });
    await layer.groupAdd(group, channel);
  };
  for (let other = 0; other < others; other++) await join(`other.${other}`);
  for (let member = 0; member < MEMBERS; member++) await join("own");
  const message = { type: "said", data: { text: "hello", user: { id: "1", name: "Ada" } } };
  return await cost(MEMBERS, () => layer.groupSend("own", message));
}

/** Rooms of ten sockets each; one member of the first room sends. */
async function sockets(): Promise<number> {
  const open: SocketEvents[] = [];
  const transport: Transport = {
    upgrade(_request, events) {
      open.push(events);
      const socket: Socket = { bufferedAmount: 0, send() {}, close() {} };
      return { response: new Response(), socket };
    },
  };
  const application = stack()
    .use(anyOrigin())
    .use(allowAnonymous())
    .use(withLayer(layer))
    .routes([route("/:room/:name", Room)]);
  const unlimited = { messagesPerSecond: 1e9, messageBurst: 1e9 };
  const handler = toHandler(application, { transport, limits: unlimited });
  for (let serial = 0; serial < others + ROOM; serial++) {
    await handler(request(`/room${Math.floor(serial / ROOM)}/user${serial}`));
  }
  for (const events of open) events.open();
  await turn();
  return await cost(ROOM, () => {
    open[0]!.message("hello");
    return Promise.resolve();
  });
}

/** Batches end with a turn of the event loop, so that deferred work counts for its own batch. */
async function cost(deliveries: number, publish: () => Promise<unknown>): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  const costs: number[] = [];
  const times = Math.max(20, BATCH / deliveries);
  for (let batch = 0; batch < BATCHES * 2; batch++) {
    const before = cpuUsage();
    for (let time = 0; time < times; time++) await publish();
    await turn();
    const { user, system } = cpuUsage(before);
    costs.push((user + system) / times / deliveries);
  }
  return median(costs.slice(BATCHES)); // The first half warms up.
}

function request(path: string): Request {
  const headers = {
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  return new Request(`http://sluice.test${path}`, { headers });
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
