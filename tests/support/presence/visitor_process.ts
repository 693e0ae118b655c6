/** A test process: `visitor_process.ts URL PREFIX NAME…` enters users, prints a line, and keeps running. */
import { Presence } from "@sluice/sluice/presence";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { FakeConnection } from "../fake_connection.ts";

const [url = "", prefix = "", ...names] = Deno.args;
const presence = new Presence<string>(new RedisChannelLayer(url, { prefix }), {
  joined: (name) => ({ type: "joined", data: name }),
  left: (name) => ({ type: "left", data: name }),
}, { heartbeatMs: 200, timeoutMs: 600 });
for (const name of names) {
  await presence.enter("room", { key: name, meta: name }, { connection: FakeConnection.open() });
}
console.log("entered");
// The layer's timers keep no process alive, and its connection only while it is open.
setInterval(() => {}, 1_000);
