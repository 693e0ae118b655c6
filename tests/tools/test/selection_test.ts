import { test } from "node:test";
import assert from "node:assert/strict";
import { select, thatSay, withImports } from "../../../tools/test/selection.ts";

test("withImports() includes the files that a test imports, directly or indirectly", async () => {
  const { tests } = await select(["tests/layers/redis/redis_channel_layer_test.ts"]);
  assert.deepEqual(await thatSay(/\bfindRedis\b/, tests), []);
  assert.deepEqual(await thatSay(/\bfindRedis\b/, await withImports(tests)), [
    "tests/support/redis/redis_server.ts",
    "tools/provide/redis.ts",
  ]);
});

test("withImports() ignores missing files", async () => {
  assert.deepEqual(await withImports(["tests/nothing_test.ts"]), []);
});
