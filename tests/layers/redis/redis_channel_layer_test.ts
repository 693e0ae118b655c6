import { after, before } from "node:test";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { testChannelLayer } from "@sluice/sluice/testing";
import { RedisServer, whyNoRedis } from "../../support/redis/redis_server.ts";

const skip = whyNoRedis();
let server: RedisServer;

before(async () => {
  if (skip === undefined) server = await RedisServer.start();
});
after(() => server?.[Symbol.asyncDispose]());

const options = { time: "real", processes: true, skip } as const;

testChannelLayer(
  "RedisChannelLayer",
  ({ system, ...options }) => new RedisChannelLayer(server.url, { ...options, prefix: system }),
  options,
);

testChannelLayer(
  "RedisChannelLayer with encryption",
  ({ system, ...options }) =>
    new RedisChannelLayer(server.url, {
      ...options,
      prefix: system,
      encryptionKeys: ["a secret of thirty-two characters or more"],
    }),
  options,
);
