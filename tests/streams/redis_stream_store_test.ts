import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { RedisStreamStore } from "@sluice/sluice/streams/redis";
import { testStreamStore } from "@sluice/sluice/testing";
import { RedisServer, whyNoRedis } from "../support/redis/redis_server.ts";

const skip = whyNoRedis();
let server: RedisServer;

before(async () => {
  if (skip === undefined) server = await RedisServer.start();
});
after(() => server?.[Symbol.asyncDispose]());

testStreamStore(
  "RedisStreamStore",
  ({ system, ...options }) => new RedisStreamStore(server.url, { ...options, prefix: system }),
  { time: "real", processes: true, skip },
);

test("RedisStreamStore keeps databases and prefixes apart", { skip }, async () => {
  const [a, b, c] = [
    new RedisStreamStore(server.url, { prefix: "a" }),
    new RedisStreamStore(server.url, { prefix: "b" }),
    new RedisStreamStore(`${server.url}/1`, { prefix: "a" }),
  ];
  await a.append("room", { type: "said" });
  assert.equal((await b.state("room")).offset, 0);
  assert.equal((await c.state("room")).offset, 0);
  for (const store of [a, b, c]) await store.close();
});

test("RedisStreamStore rejects with UNAVAILABLE while Redis is away", async () => {
  const store = new RedisStreamStore("redis://127.0.0.1:1", { timeoutMs: 200 });
  await assert.rejects(store.append("room", { type: "said" }), { code: "UNAVAILABLE" });
  await assert.rejects(store.read("room"), { code: "UNAVAILABLE" });
  await assert.rejects(store.claim("key"), { code: "UNAVAILABLE" });
  await store.close();
});
