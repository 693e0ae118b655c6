import { test } from "node:test";
import assert from "node:assert/strict";
import { select, thatSay, withImports } from "../../tools/test/selection.ts";

test("withImports() finds what a test asks for through the files that it imports", async () => {
  const { tests } = await select(["tests/layers/redis_channel_layer_test.ts"]);
  assert.deepEqual(await thatSay(/\bfindRedis\b/, tests), []);
  assert.deepEqual(await thatSay(/\bfindRedis\b/, await withImports(tests)), [
    "tests/layers/redis_server.ts",
    "tools/provide/redis.ts",
  ]);
});

test("withImports() leaves out what is not there", async () => {
  assert.deepEqual(await withImports(["tests/nothing_test.ts"]), []);
});
