import { test } from "node:test";
import assert from "node:assert/strict";
import { readiness } from "../../app/http/readiness.ts";
import { createServices } from "../../app/services.ts";
import { composeSite } from "../../main.ts";
import { readSettings } from "../../app/settings/settings.ts";
import { eventually } from "../support/eventually.ts";
import { RedisServer, whyNoRedis } from "../support/redis/redis_server.ts";
import { silent } from "../support/silent_log.ts";

function siteWith(channelLayer: string) {
  const settings = readSettings({ DENO_KV_PATH: ":memory:", CHANNEL_LAYER: channelLayer });
  return composeSite(createServices(settings, { log: silent }));
}

for (const channelLayer of ["memory:", "kv:"]) {
  test(`the app carries messages over ${channelLayer}`, async () => {
    const services = siteWith(channelLayer);
    await services.layer.send("jobs", { type: "hello" });
    assert.deepEqual(await services.layer.receive("jobs"), { type: "hello" });
    assert.deepEqual(await readiness(services), { status: "ok" });
    await services.close();
  });
}

test("createServices() refuses an unusable REDIS_CA_FILE with one sentence", () => {
  for (const file of ["/nowhere/ca.pem", import.meta.filename!]) {
    const settings = readSettings({ CHANNEL_LAYER: "rediss://a", REDIS_CA_FILE: file });
    const message = `REDIS_CA_FILE is ${JSON.stringify(file)}, ` +
      "but accepts a file with certificates (PEM) that can be read.";
    assert.throws(() => createServices(settings, { log: silent }), { message });
  }
});

test(
  "readiness() reports a Redis outage and the recovery from it",
  { skip: whyNoRedis() ?? false },
  async () => {
    await using server = await RedisServer.start();
    await server.kill();
    const services = siteWith(server.url);
    const missing = { status: "unavailable", missing: ["layer"] };
    assert.deepEqual(await readiness(services), missing);
    await server.restart();
    await eventually(async () => assert.deepEqual(await readiness(services), { status: "ok" }));
    await server.kill();
    await eventually(async () => assert.deepEqual(await readiness(services), missing));
    await services.close();
  },
);
