import { test } from "node:test";
import assert from "node:assert/strict";
import { parseRedisUrl } from "../../lib/redis/redis_address.ts";

test("parseRedisUrl() reads hosts, user, password and database", () => {
  const access = { tls: false, username: undefined, password: undefined, database: 0 };
  assert.deepEqual(parseRedisUrl("redis://localhost"), {
    addresses: [{ host: "localhost", port: 6379 }],
    access,
  });
  assert.deepEqual(parseRedisUrl("rediss://ada:p%40s%2Fs@a:7000,b,[::1]:7002/3"), {
    addresses: [
      { host: "a", port: 7000 },
      { host: "b", port: 6379 },
      { host: "::1", port: 7002 },
    ],
    access: { tls: true, username: "ada", password: "p@s/s", database: 3 },
  });
  assert.equal(parseRedisUrl("redis://:only@a").access.password, "only");
  assert.equal(parseRedisUrl("redis://a:80").addresses[0].port, 80);
});

for (
  const url of [
    "redis://",
    "redis:///0",
    "http://a",
    "redis://a,",
    "redis://a,,b",
    "redis://a:0",
    "redis://a:x",
    "redis://a:99999",
    "redis://a/x",
    "redis://a/0/1",
    "redis://a?tls=1",
    "redis://hunter2%@a",
  ]
) {
  test(`parseRedisUrl() refuses ${url} without repeating it`, () => {
    assert.throws(
      () => parseRedisUrl(url),
      (error: Error) => error instanceof TypeError && !error.message.includes("hunter2"),
    );
  });
}
