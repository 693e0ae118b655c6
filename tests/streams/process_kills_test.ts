import assert from "node:assert/strict";
import { test } from "node:test";
import { whyNoRedis } from "../support/redis/redis_server.ts";
import { commandsUnderKills } from "../support/streams/process_kills.ts";
import { startDatabase } from "../support/streams/stream_database.ts";

/** For the full size, and all databases: `deno task bench stream_faults`. */
const load = {
  commands: 100,
  perSecond: 60,
  processes: 3,
  killEveryMs: 700,
  cutShare: 0.1,
  sockets: 10,
};

const databases = [
  { kind: "SQLite", skip: false },
  { kind: "Redis", skip: whyNoRedis() ?? false },
] as const;

for (const { kind, skip } of databases) {
  test(`commands take effect once while the processes of a server on ${kind} are killed`, {
    skip,
    timeout: 60_000,
  }, async () => {
    await using database = await startDatabase(kind);
    const outcome = await commandsUnderKills(database, load);
    assert.ok(outcome.kills >= 1, `${outcome.kills} kills`);
    const { missing, twice, otherReply, unknown, stored, heard, recoveries } = outcome;
    assert.deepEqual([...missing, ...twice, ...otherReply, ...unknown], []);
    assert.equal(stored.length, load.commands);
    assert.deepEqual(heard, stored);
    assert.ok(recoveries.every(({ recovered }) => recovered));
  });
}
