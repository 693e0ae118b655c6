import { after, before } from "node:test";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { testChannelLayer } from "@sluice/sluice/testing";
import { RedisCluster } from "../../support/redis/redis_cluster.ts";
import { whyNoRedis } from "../../support/redis/redis_server.ts";

const skip = whyNoRedis();
let cluster: RedisCluster;

before(async () => {
  if (skip === undefined) cluster = await RedisCluster.start(3);
});
after(() => cluster?.[Symbol.asyncDispose]());

testChannelLayer(
  "RedisChannelLayer over a cluster",
  ({ system, ...options }) => new RedisChannelLayer(cluster.url, { ...options, prefix: system }),
  { time: "real", processes: true, skip },
);
