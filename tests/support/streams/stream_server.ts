import {
  type HandlersOf,
  JsonConsumer,
  layer,
  type LayerScope,
  route,
  stack,
} from "@sluice/sluice";
import { type ChannelLayer, MemoryChannelLayer } from "@sluice/sluice/layers";
import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import { streams, type StreamScope, type StreamStore } from "@sluice/sluice/streams";
import { startServer } from "@sluice/sluice/testing";
import type { Application, Scope } from "@sluice/sluice";
import * as v from "valibot";

/** The messages of {@linkcode serveStream}. */
export const countMessages = defineMessages({
  client: {
    add: { data: v.number(), reply: unchecked<{ id: string }>(), appends: "room" },
    run: { data: v.number(), reply: unchecked<{ id: string }>() },
  },
  server: { added: unchecked<{ number: number; id: string }>() },
});

type CountScope = Scope & LayerScope & StreamScope & { readonly effects: Map<number, string[]> };

class CountConsumer extends JsonConsumer<typeof countMessages, CountScope> {
  readonly messages = countMessages;
  readonly handlers = handlers;

  override get streams(): { readonly room: string | { group: string; authorize(): boolean } } {
    return { room: "room" };
  }
}

/** Appends, and reads nothing: messages to many senders would take more time than their commands. */
class SendConsumer extends CountConsumer {
  override get streams() {
    return { room: { group: "room", authorize: () => false } };
  }
}

const handlers: HandlersOf<CountConsumer> = {
  async add(number) {
    const reply = { id: crypto.randomUUID() };
    await this.append("room", { type: "added", data: { number, id: reply.id } }, { reply });
    return reply;
  },
  run(number) {
    const reply = { id: crypto.randomUUID() };
    const { effects } = this.scope;
    effects.set(number, [...effects.get(number) ?? [], reply.id]);
    return reply;
  },
};

/** Returns the application with a stream `room`, for one user. `effects` collects what `run` did. */
export function streamApplication(
  store: StreamStore,
  channel: ChannelLayer,
  effects: Map<number, string[]> = new Map(),
): Application<Scope> {
  const user = { id: "ada" };
  return stack()
    .use(layer(channel))
    .use(streams(store))
    .routes([
      route("/ws/room", (scope) => new CountConsumer(Object.assign(scope, { user, effects }))),
      route("/ws/send", (scope) => new SendConsumer(Object.assign(scope, { user, effects }))),
    ]);
}

/** Limits that no test reaches. */
export const streamLimits = { messagesPerSecond: 10_000, messageBurst: 20_000 };

/** Serves a stream `room` over sockets, for one user. */
export function serveStream(store: StreamStore, channel: ChannelLayer = new MemoryChannelLayer()) {
  const effects = new Map<number, string[]>();
  const application = streamApplication(store, channel, effects);
  return { server: startServer(application, { limits: streamLimits }), effects, layer: channel };
}
