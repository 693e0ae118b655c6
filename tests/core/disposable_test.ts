import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type LayerMessage,
  MemoryChannelLayer,
  MemorySessionStore,
  Sessions,
} from "@sluice/sluice";
import { Audit } from "@sluice/sluice/auth";
import { MemoryKeyValue } from "@sluice/sluice/kv";
import { Presence } from "@sluice/sluice/presence";
import { channelRouter } from "@sluice/sluice/routing";
import { SharedRateLimiter, SharedSocketCounter } from "@sluice/sluice/security";
import { SessionNotices } from "../../app/auth/session_notices.ts";
import { KvSocketCounts } from "../../lib/sessions/connections/kv_socket_counts.ts";
import { FaultyLayer } from "@sluice/sluice/testing";
import { systemClock } from "@sluice/sluice/server";
import { KvStreamStore, MemoryStreamStore } from "@sluice/sluice/streams";
import { Worker } from "@sluice/sluice/workers";
import { silent } from "../support/silent_log.ts";

/** Everything public that holds timers, connections or subscriptions. */
function closable(): readonly object[] {
  const layer = new MemoryChannelLayer();
  const kv = new MemoryKeyValue();
  const sessions = new Sessions(new MemorySessionStore(), { log: silent });
  const message = () => ({ type: "changed" });
  return [
    layer,
    kv,
    sessions,
    new FaultyLayer(),
    new Audit(kv, { log: silent }),
    new KvSocketCounts(kv, { connections: sessions.connections, log: silent }),
    new Presence(layer, { joined: message, left: message }),
    new SessionNotices(layer, { log: silent, clock: systemClock }),
    new SharedRateLimiter(layer, { perMinute: 1, controlGroup: "sluice.limits" }),
    new SharedSocketCounter(layer),
    new MemoryStreamStore(),
    new KvStreamStore(kv),
    new Worker(channelRouter({}), { layer, log: silent }),
  ];
}

for (const resource of closable()) {
  const { name } = resource.constructor;
  test(`${name} can be disposed of, twice`, async () => {
    const dispose = Reflect.get(resource, Symbol.asyncDispose) ??
      Reflect.get(resource, Symbol.dispose);
    assert.equal(typeof dispose, "function");
    await dispose.call(resource);
    await dispose.call(resource);
  });
}

test("a subscription can be ended twice, and ends no later one", async () => {
  const [layer, kv] = [new MemoryChannelLayer(), new MemoryKeyValue()];
  const sessions = new Sessions(new MemorySessionStore(), { log: silent });
  const audit = new Audit(kv, { log: silent });
  const heard: string[] = [];
  const mailbox = () => ({ deliver: ({ type }: LayerMessage) => heard.push(type) > 0 });
  const subscriptions: (() => () => void)[] = [
    () => layer.attach("here", mailbox()),
    () => kv.onChange("topic", () => heard.push("changed")),
    () => sessions.subscribe(({ type }) => heard.push(type)),
    () => sessions.onExpired(() => heard.push("expired")),
    () => audit.subscribe(({ kind }) => heard.push(kind)),
  ];
  for (const subscribe of subscriptions) {
    const stop = subscribe();
    stop();
    subscribe();
    stop();
  }
  await layer.send("here", { type: "message" });
  await kv.atomic().set(["a"], 1).notify("topic").commit();
  const { session } = await sessions.create({ userId: "ada", provider: "dev" });
  await sessions.end(session.id, "signed-out");
  audit.write({ kind: "refused" });
  assert.deepEqual(heard.toSorted(), ["changed", "ended", "message", "refused"]);
});
