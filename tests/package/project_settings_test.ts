import assert from "node:assert/strict";
import { test } from "node:test";
import { readSettings } from "../../tools/create/template/base/server/settings.ts";

test("readSettings() of a new project has defaults, also for empty settings", () => {
  const names = ["HOST", "PORT", "PUBLIC_URL", "TRUST_PROXY", "DATABASE_URL", "REDIS_URL"];
  const empty = Object.fromEntries(names.map((name) => [name, ""]));
  for (const env of [{}, empty]) {
    assert.deepEqual(readSettings(env), {
      hostname: "127.0.0.1",
      port: 8000,
      publicUrl: undefined,
      trustProxy: false,
      github: undefined,
      databaseUrl: undefined,
      redisUrl: undefined,
    });
  }
});

test("readSettings() of a new project accepts what .env.example describes", () => {
  const settings = readSettings({
    PORT: "0",
    PUBLIC_URL: "https://app.example.com/",
    TRUST_PROXY: "true",
    GITHUB_CLIENT_ID: "id",
    GITHUB_CLIENT_SECRET: "secret",
    DATABASE_URL: "postgres://user:password@host/database",
    REDIS_URL: "rediss://host:6379",
  });
  assert.equal(settings.port, 0);
  assert.equal(settings.publicUrl, "https://app.example.com");
  assert.equal(settings.trustProxy, true);
  assert.deepEqual(settings.github, { clientId: "id", clientSecret: "secret" });
  assert.equal(settings.databaseUrl, "postgres://user:password@host/database");
  assert.equal(settings.redisUrl, "rediss://host:6379");
});

test("readSettings() of a new project names a wrong setting in one sentence without secrets", () => {
  const PORT = /^PORT is ".+", but accepts a whole number from 0 to 65535\.$/;
  const URL = /^PUBLIC_URL is ".+", but accepts an address such as https:\/\/example\.com, .+\.$/;
  const PROXY = /^TRUST_PROXY is ".+", but accepts true or false\.$/;
  const DATABASE = /^DATABASE_URL is ".*…", but accepts postgres:\/\/… or postgresql:\/\/…\.$/;
  const REDIS = /^REDIS_URL is ".*…", but accepts redis:\/\/… or rediss:\/\/…\.$/;
  const wrong: readonly [env: Record<string, string>, message: RegExp][] = [
    ...["abc", "99999", "-1", "1.5", "0x1F", "8000 9000"].map((PORT) => ({ PORT })).map((env) =>
      [env, PORT] as [Record<string, string>, RegExp]
    ),
    [{ PUBLIC_URL: "foo" }, URL],
    [{ PUBLIC_URL: "ftp://x/y" }, URL],
    [{ PUBLIC_URL: "https://x/path" }, URL],
    [{ PUBLIC_URL: "https://user:hunter2@x" }, URL],
    [{ TRUST_PROXY: "yes" }, PROXY],
    [{ TRUST_PROXY: "1" }, PROXY],
    [{ DATABASE_URL: "mysql://user:hunter2@host/db" }, DATABASE],
    [{ DATABASE_URL: "sqlite:hunter2.db" }, DATABASE],
    [{ DATABASE_URL: "hunter2" }, DATABASE],
    [{ REDIS_URL: "foo" }, REDIS],
    [{ GITHUB_CLIENT_ID: "id" }, /^GITHUB_CLIENT_ID is set, but GITHUB_CLIENT_SECRET is not: set/],
    [{ GITHUB_CLIENT_SECRET: "hunter2" }, /^GITHUB_CLIENT_SECRET is set, but GITHUB_CLIENT_ID is/],
  ];
  for (const [env, message] of wrong) {
    assert.throws(() => readSettings(env), (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /hunter2|\n/);
      return true;
    });
  }
});
