/**
 * Serves `/ws/plain`, a group, and `/ws/kept`, the same as a stream: `room_server.ts memory` or
 * `room_server.ts URL` of a Redis. A line on standard input asks for the CPU time of this process, in
 * milliseconds; `fill N` appends messages first.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import {
  defineMessages,
  type HandlersOf,
  JsonConsumer,
  layer as withLayer,
  type LayerScope,
  MemoryChannelLayer,
  type Scope,
  unchecked,
} from "@sluice/sluice";
import { allowAnonymous } from "@sluice/sluice/auth";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { route, stack } from "@sluice/sluice/routing";
import { anyOrigin } from "@sluice/sluice/security";
import { toHandler } from "@sluice/sluice/server";
import { MemoryStreamStore, streams, type StreamScope } from "@sluice/sluice/streams";
import { RedisStreamStore } from "@sluice/sluice/streams/redis";
import * as v from "valibot";

const [address = "memory"] = Deno.args;
const isMemory = address === "memory";
const layer = isMemory ? new MemoryChannelLayer() : new RedisChannelLayer(address);
const store = isMemory ? new MemoryStreamStore() : new RedisStreamStore(address);

const messages = defineMessages({
  client: { say: { data: v.object({ text: v.string() }), reply: unchecked<number>() } },
  server: { said: unchecked<{ text: string; user: object; at: string }>() },
});

type RoomScope = Scope & LayerScope & StreamScope;
const user = { id: "ada", login: "ada", name: "Ada Lovelace", avatarUrl: "/avatars/ada.svg" };
const at = new Date().toISOString();

class Plain extends JsonConsumer<typeof messages, RoomScope> {
  readonly messages = messages;
  readonly handlers = plain;

  override get groups() {
    return ["plain"];
  }
}

const plain: HandlersOf<Plain> = {
  async say({ text }) {
    await this.groupSend("plain", { type: "said", data: { text, user, at } });
    return 1;
  },
};

class Kept extends JsonConsumer<typeof messages, RoomScope> {
  readonly messages = messages;
  readonly handlers = kept;

  override get streams() {
    return { room: "kept" };
  }
}

const kept: HandlersOf<Kept> = {
  async say({ text }) {
    await this.append("room", { type: "said", data: { text, user, at } });
    return 1;
  },
};

const application = stack()
  .use(anyOrigin())
  .use(allowAnonymous())
  .use(withLayer(layer))
  .use(streams(store))
  .routes([route("/ws/plain", Plain), route("/ws/kept", Kept)]);
const limits = { messagesPerSecond: 1_000_000, messageBurst: 1_000_000 };
const server = Deno.serve(
  { port: 0, hostname: "127.0.0.1", onListen() {} },
  toHandler(application, { limits }),
);
console.log(`ws://127.0.0.1:${server.addr.port}`);

for await (const line of createInterface({ input: process.stdin })) {
  const count = Number(/^fill (\d+)$/.exec(line)?.[1] ?? 0);
  const message = { type: "said", data: { text: "x".repeat(100), user, at } };
  await Promise.all(Array.from({ length: count }, () => store.append("kept", message)));
  const { user: inUser, system } = process.cpuUsage();
  console.log(`${(inUser + system) / 1_000}`);
}
