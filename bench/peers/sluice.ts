/**
 * Sluice: a consumer with a handler table and a validator, over a layer.
 *
 * `echo`, or `fan-out` with the layer's URL: `memory:` (the default), `kv:FILE` or `redis://…`.
 *
 * @module
 */
import { allowAnonymous } from "@sluice/sluice/auth";
import * as v from "valibot";
import type { Scope } from "@sluice/sluice";
import { type HandlersOf, JsonConsumer } from "@sluice/sluice/consumers";
import {
  type ChannelLayer,
  layer,
  type LayerScope,
  MemoryChannelLayer,
} from "@sluice/sluice/layers";
import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import { route, stack } from "@sluice/sluice/routing";
import { anyOrigin } from "@sluice/sluice/security";
import { toHandler } from "@sluice/sluice/server";
import { DenoKeyValue } from "@sluice/sluice/kv/deno";

const [mode = "echo", address = "memory:"] = Deno.args;
const isFanOut = mode === "fan-out";

const say = v.object({ by: v.number(), text: v.string() });
const messages = defineMessages({
  client: { say: { data: say } },
  server: { said: unchecked<v.InferOutput<typeof say>>() },
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
const application = stack()
  .use(anyOrigin())
  .use(allowAnonymous())
  .use(layer(await createLayer()))
  .routes([route("/", Bench)]);
Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(`listening ${port}`),
}, toHandler(application, { limits }));

/** Drivers are loaded on demand, so that a run without Redis does not wait for its client. */
async function createLayer(): Promise<ChannelLayer> {
  if (address === "memory:") return new MemoryChannelLayer();
  if (address.startsWith("kv:")) {
    const { KvChannelLayer } = await import("@sluice/sluice/layers/kv");
    return new KvChannelLayer(new DenoKeyValue(await Deno.openKv(address.slice("kv:".length))));
  }
  const { RedisChannelLayer } = await import("@sluice/sluice/layers/redis");
  return new RedisChannelLayer(address);
}
