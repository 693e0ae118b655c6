import { before, test } from "node:test";
import assert from "node:assert/strict";
import { RedisServer, whyNoRedis } from "../../../support/redis/redis_server.ts";
import { buildApp } from "../../../support/app/app_process.ts";
import { crashOne } from "../../../support/app/presence_crash.ts";

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

// In parallel, because most time is spent waiting for the killed process to time out.
const crashes = new Map<string, Promise<void>>();

/** Starts both crashes, and waits for the one with this layer. */
async function crash(layer: string): Promise<void> {
  if (crashes.size === 0) {
    crashes.set("kv:", assertExact("kv:"));
    crashes.set("redis:", whyNoRedis() === undefined ? overRedis() : Promise.resolve());
    for (const each of crashes.values()) each.catch(() => {}); // Each test waits for its own crash.
  }
  await crashes.get(layer);
}

async function overRedis(): Promise<void> {
  await using redis = await RedisServer.start();
  await assertExact(redis.url);
}

test("after kill -9 of one of three processes, the others list the exact presence within 10 s over kv:", async () => {
  await crash("kv:");
});

test(
  "after kill -9 of one of three processes, the others list the exact presence within 10 s over Redis",
  { skip: whyNoRedis() ?? false },
  async () => {
    await crash("redis:");
  },
);
