/** Sluice: a consumer with a handler table and a validator, over the memory layer. */
import * as v from "valibot";
import type { Scope } from "@sluice/sluice";
import { type HandlersOf, JsonConsumer } from "@sluice/sluice/consumers";
import { type LayerScope, MemoryChannelLayer, withLayer } from "@sluice/sluice/layers";
import { defineMessages, type } from "@sluice/sluice/protocol";
import { route, router } from "@sluice/sluice/routing";
import { toHandler } from "@sluice/sluice/server";

const isFanOut = Deno.args[0] === "fan-out";

const say = v.object({ by: v.number(), text: v.string() });
const messages = defineMessages({
  client: { say: { data: say } },
  server: { said: type<v.InferOutput<typeof say>>() },
});

class Bench extends JsonConsumer<typeof messages, Scope & LayerScope> {
  readonly messages = messages;
  readonly handlers = handlers;
  override get groups() {
    return isFanOut ? ["all"] : [];
  }
}

const handlers: HandlersOf<Bench> = {
  say(data) {
    if (!isFanOut) return void this.sendJson({ type: "said", data });
    return this.groupSend("all", { type: "said", data }).then(() => {});
  },
};

const limits = { messagesPerSecond: 1e9, messageBurst: 1e9 };
const application = withLayer(
  new MemoryChannelLayer(),
  router<Scope & LayerScope>([route("/", Bench)]),
);
Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(`listening ${port}`),
}, toHandler(application, { limits }));
