/** A process of a test: `visitor_process.ts URL PREFIX NAME…` enters people, says so, and stays. */
import { Presence } from "@sluice/sluice/presence";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { fakeConnection } from "../fake_connection.ts";

const [url = "", prefix = "", ...names] = Deno.args;
const presence = new Presence<string>(new RedisChannelLayer(url, { prefix }), {
  joined: (name) => ({ type: "joined", data: name }),
  left: (name) => ({ type: "left", data: name }),
}, { beatMs: 200, silentMs: 600 });
for (const name of names) {
  await presence.enter("room", { key: name, meta: name }, { connection: fakeConnection() });
}
console.log("entered");
// The layer's timers keep no process alive, and its connection does only while it has one.
setInterval(() => {}, 1_000);
