import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ExternalSessions } from "@sluice/sluice";
import { PostgresKeyValue } from "@sluice/sluice/kv/postgres";
import { FaultyLayer, startServer } from "@sluice/sluice/testing";
import { WsClient } from "../../support/app/ws_client.ts";
import { eventually } from "../../support/eventually.ts";
import { PostgresServer, whyNoPostgres } from "../../support/postgres/postgres_server.ts";
import { FakeLog } from "../../support/fake_log.ts";
import { type Member, whoApplication } from "../../support/accounts.ts";

const skip = whyNoPostgres() ?? false;

let postgres: PostgresServer;

before(async () => {
  if (!skip) postgres = await PostgresServer.start();
});

after(() => postgres?.[Symbol.asyncDispose]());

/** A process of an application, whose sessions are always valid: like signed tokens. */
function startProcess(options: { readonly layer?: FaultyLayer } = {}) {
  const kv = new PostgresKeyValue(postgres.url(), { maxConnections: 2 });
  const sessions = new ExternalSessions<Member>({
    identify: ({ headers }) => {
      const sessionId = headers.get("cookie");
      if (sessionId === null) return undefined;
      return { sessionId, userId: "ada", expiresAt: Date.now() + 3_600_000 };
    },
    kv,
    log: new FakeLog(),
    ...options,
  });
  const server = startServer(whoApplication(sessions), { log: new FakeLog() });
  return {
    sessions,
    open: (cookie: string) =>
      WsClient.connect(`${server.wsUrl}/ws/who`, { headers: { cookie, origin: server.url } }),
    async [Symbol.asyncDispose]() {
      sessions.close();
      await server[Symbol.asyncDispose]();
      await kv.close();
    },
  };
}

test(
  "ExternalSessions.ended() closes sockets of two servers with PostgreSQL, also while it is down",
  {
    skip,
    timeout: 60_000,
  },
  async () => {
    const layer = new FaultyLayer();
    await using here = startProcess({ layer });
    await using there = startProcess({ layer });
    const open = async (sid: string) => [await here.open(sid), await there.open(sid)];

    const first = await open("s1");
    await postgres.kill();
    const ended = here.sessions.ended("s1");
    for (const socket of first) assert.equal((await socket.closed).code, 4401);
    assert.equal(await ended, false, "the database does not have it yet");
    await assert.rejects(there.open("s2"), { status: 503, code: "UNAVAILABLE" });

    await postgres.restart();
    await using later = startProcess();
    await eventually(() => assert.rejects(later.open("s1"), { status: 401 }), 15_000);

    layer.fault = "unavailable";
    const second = await eventually(() => open("s2"), 15_000);
    assert.equal(await here.sessions.ended("s2"), true);
    for (const socket of second) assert.equal((await socket.closed).code, 4401);
    await assert.rejects(there.open("s2"), { status: 401, code: "NOT_SIGNED_IN" });
  },
);
