import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ExternalSessions } from "@sluice/sluice";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { startServer } from "@sluice/sluice/testing";
import { WsClient } from "../../support/app/ws_client.ts";
import { RedisServer, whyNoRedis } from "../../support/redis/redis_server.ts";
import { FakeLog } from "../../support/fake_log.ts";
import { type Member, whoApplication } from "../../support/accounts.ts";

const skip = whyNoRedis() ?? false;

let redis: RedisServer;

before(async () => {
  if (!skip) redis = await RedisServer.start();
});

after(() => redis?.[Symbol.asyncDispose]());

/** A process of an application, whose sessions are always valid: like signed tokens. */
function startProcess() {
  const layer = new RedisChannelLayer(redis.url);
  const sessions = new ExternalSessions<Member>({
    identify: ({ headers }) => {
      const sessionId = headers.get("cookie");
      if (sessionId === null) return undefined;
      return { sessionId, userId: "ada", expiresAt: Date.now() + 3_600_000 };
    },
    layer,
    log: new FakeLog(),
  });
  const server = startServer(whoApplication(sessions), { log: new FakeLog() });
  return {
    sessions,
    open: (cookie: string) =>
      WsClient.connect(`${server.wsUrl}/ws/who`, { headers: { cookie, origin: server.url } }),
    async [Symbol.asyncDispose]() {
      sessions.close();
      await server[Symbol.asyncDispose]();
      await layer.close();
    },
  };
}

test("ExternalSessions.ended() closes sockets of two servers with Redis, also after it was down", {
  skip,
  timeout: 60_000,
}, async () => {
  await using here = startProcess();
  await using there = startProcess();

  const first = [await here.open("s1"), await there.open("s1")];
  assert.equal(await here.sessions.ended("s1"), true);
  for (const socket of first) assert.equal((await socket.closed).code, 4401);
  await assert.rejects(there.open("s1"), { status: 401, code: "NOT_SIGNED_IN" });

  const second = [await here.open("s2"), await there.open("s2")];
  await redis.kill();
  assert.equal(await here.sessions.ended("s2"), false);
  assert.equal((await second[0]!.closed).code, 4401);
  await redis.restart();
  assert.equal((await second[1]!.closed).code, 4401, "it was sent again");
});
