import { before, test } from "node:test";
import assert from "node:assert/strict";
import { RedisServer, whyNoRedis } from "../../support/redis/redis_server.ts";
import { buildApp } from "../../support/app/app_process.ts";
import { crashOne } from "../../support/app/presence_crash.ts";

before(buildApp);

const PEOPLE = 150;

/** Checks that all remaining users saw exactly the right changes. */
async function assertExact(layer: string): Promise<void> {
  const { expected, gone, survivors } = await crashOne(PEOPLE, layer);
  assert.ok(gone.length >= 10);
  const all = Array.from({ length: PEOPLE }, (_, serial) => `user-${serial + 1}`).sort();
  for (const { people, joined, left } of survivors) {
    assert.deepEqual(people, expected);
    assert.deepEqual(joined, all);
    assert.deepEqual(left, gone);
  }
}

const NAME =
  "after kill -9 of one of three processes, the others list the exact presence within 10 s";

test(`${NAME} over kv:`, () => assertExact("kv:"));

test(`${NAME} over Redis`, { skip: whyNoRedis() ?? false }, async () => {
  await using redis = await RedisServer.start();
  await assertExact(redis.url);
});
