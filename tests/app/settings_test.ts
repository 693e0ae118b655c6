import { test } from "node:test";
import assert from "node:assert/strict";
import { readSettings, SettingError } from "../../app/settings/settings.ts";

test("readSettings() needs no variable: every default is embedded and local", () => {
  const settings = readSettings({});
  assert.equal(settings.port, 8000);
  assert.equal(settings.host, "127.0.0.1");
  assert.equal(settings.kvPath, ".data/kv.sqlite3");
  assert.equal(settings.channelLayer, "memory:");
  assert.equal(settings.devSignIn, true);
  assert.deepEqual(settings.admins, ["dev:ada"]);
  assert.equal(settings.sessionIdleTtlMs, 7 * 86_400_000);
  assert.equal(settings.sessionMaxTtlMs, 30 * 86_400_000);
  assert.equal(settings.drainMs, 10_000);
});

test("an empty variable counts as unset", () => {
  assert.deepEqual(readSettings({ PORT: "", GITHUB_CLIENT_ID: " " }), readSettings({}));
});

test("durations require a unit", () => {
  const ttl = (value: string) => readSettings({ SESSION_IDLE_TTL: value }).sessionIdleTtlMs;
  assert.equal(ttl("500ms"), 500);
  assert.equal(ttl("30s"), 30_000);
  assert.equal(ttl("10m"), 600_000);
  assert.equal(ttl("12h"), 43_200_000);
  assert.equal(ttl("7d"), 604_800_000);
});

test("OIDC_ISSUER is used as given, with or without a trailing slash", () => {
  for (
    const issuer of ["https://id.example/o/app/", "https://id.example/o/app", "https://id.example/"]
  ) {
    const settings = readSettings({ OIDC_ISSUER: ` ${issuer} `, OIDC_CLIENT_ID: "a" });
    assert.equal(settings.oidc?.issuer, issuer);
  }
  const github = { GITHUB_CLIENT_ID: "a", GITHUB_CLIENT_SECRET: "b" };
  const settings = readSettings({ ...github, GITHUB_URL: "https://ghe.example/" });
  assert.equal(settings.github?.url, "https://ghe.example");
});

const DEV: [env: Record<string, string>, isOn: boolean][] = [
  [{}, true],
  [{ HOST: "localhost" }, true],
  [{ HOST: "::1" }, true],
  [{ HOST: "0.0.0.0" }, false],
  [{ HOST: "127.0.0.1.evil.example" }, false],
  [{ DENO_DEPLOY: "1" }, false],
  [{ GITHUB_CLIENT_ID: "a", GITHUB_CLIENT_SECRET: "b" }, false],
  [{ GITHUB_CLIENT_ID: "a", GITHUB_CLIENT_SECRET: "b", DEV_SIGN_IN: "on" }, true],
  [{ OIDC_ISSUER: "https://id.example", OIDC_CLIENT_ID: "a" }, false],
  [{ DEV_SIGN_IN: "off" }, false],
];
for (const [env, isOn] of DEV) {
  test(`development sign-in is ${isOn ? "on" : "off"} with ${JSON.stringify(env)}`, () => {
    assert.equal(readSettings(env).devSignIn, isOn);
  });
}

const WRONG: [env: Record<string, string>, message: RegExp][] = [
  [{ PORT: "http" }, /^PORT is "http", but accepts a whole number from 0 to 65535\.$/],
  [{ PORT: "65536" }, /^PORT is "65536"/],
  [{ PORT: "-1" }, /^PORT is "-1"/],
  [{ PORT: "80.5" }, /^PORT is "80.5"/],
  [
    { CHANNEL_LAYER: "carrier-pigeon:" },
    /^CHANNEL_LAYER is "carrier-pigeon:", but accepts memory:/,
  ],
  [{ CHANNEL_LAYER: "redis://a:7000,b:x" }, /^CHANNEL_LAYER is "redis:\/\/a:7000,b:x"/],
  [{ CHANNEL_LAYER: "redis:u:s3cr3t@host" }, /^CHANNEL_LAYER is "redis:…@host"/],
  [{ REDIS_CA_FILE: "/ca.pem" }, /^REDIS_CA_FILE is set, but CHANNEL_LAYER is not rediss:/],
  [
    { REDIS_CA_FILE: "/ca.pem", CHANNEL_LAYER: "redis://a" },
    /^REDIS_CA_FILE is set, but CHANNEL_LAYER is not rediss:/,
  ],
  [{ GITHUB_CLIENT_ID: "id" }, /^GITHUB_CLIENT_SECRET is not set, but GITHUB_CLIENT_ID is/],
  [{ GITHUB_CLIENT_SECRET: "s3cr3t" }, /^GITHUB_CLIENT_ID is not set/],
  [{ OIDC_ISSUER: "https://id.example" }, /^OIDC_CLIENT_ID is not set/],
  [{ OIDC_CLIENT_SECRET: "s3cr3t" }, /^OIDC_ISSUER is not set/],
  [{ OIDC_ISSUER: "id.example", OIDC_CLIENT_ID: "a" }, /^OIDC_ISSUER is "id.example"/],
  [{ OIDC_ISSUER: "http://id.example", OIDC_CLIENT_ID: "a" }, /^OIDC_ISSUER is "http:\/\/id/],
  [
    { GITHUB_URL: "http://github.example", GITHUB_CLIENT_ID: "a", GITHUB_CLIENT_SECRET: "b" },
    /^GITHUB_URL is "http:\/\/github.example", but accepts an https:\/\/ address/,
  ],
  [{ DEV_SIGN_IN: "on", HOST: "0.0.0.0" }, /^DEV_SIGN_IN is on, but HOST is "0.0.0.0"/],
  [{ DEV_SIGN_IN: "on", DENO_DEPLOY: "1" }, /^DEV_SIGN_IN is on, which is not accepted on Deno/],
  [{ DEV_SIGN_IN: "maybe" }, /^DEV_SIGN_IN is "maybe", but accepts on or off\.$/],
  [{ PUBLIC_URL: "example.com" }, /^PUBLIC_URL is "example.com"/],
  [{ PUBLIC_URL: "https://example.com/app" }, /^PUBLIC_URL is/],
  [{ TRUST_PROXY: "yes please" }, /^TRUST_PROXY is/],
  [{ ALLOWED_ORIGINS: "https://a.com,*.b.com" }, /^ALLOWED_ORIGINS has "\*\.b\.com"/],
  [{ ALLOWED_ORIGINS: "https://ada:hunter2@a.com" }, /^ALLOWED_ORIGINS has "https:\/\/…@a\.com"/],
  [{ CHANNEL_PREFIX: "ada:hunter2@a" }, /^CHANNEL_PREFIX is "ada:…@a"/],
  [{ SESSION_IDLE_TTL: "7" }, /^SESSION_IDLE_TTL is "7", but accepts a duration/],
  [{ SESSION_IDLE_TTL: "0s" }, /^SESSION_IDLE_TTL is "0s"/],
  [
    { SESSION_IDLE_TTL: "2d", SESSION_MAX_TTL: "1d" },
    /^SESSION_IDLE_TTL is "2d", which is longer than SESSION_MAX_TTL \("1d"\), but accepts/,
  ],
  [{ DENO_KV_PATH: "http://u:s3cr3t@kv.example" }, /^DENO_KV_PATH is "http:\/\/…@kv.example"/],
  [{ DATABASE_URL: "mysql://u:s3cr3t@db" }, /^DATABASE_URL is "mysql:…", but accepts postgres:/],
  [{ DATABASE_URL: "postgres://u:s3cr3t" }, /^DATABASE_URL is "postgres:…"/],
  [
    { DATABASE_URL: "s3cr3t" },
    /^DATABASE_URL is "…", but accepts postgres:\/\/… or sqlite:PATH\.$/,
  ],
  [{ DATABASE_URL: "sqlite:" }, /^DATABASE_URL is "sqlite:…"/],
  [{ DATABASE_URL: "sqlite://s3cr3t" }, /^DATABASE_URL is "sqlite:…"/],
  [{ DENO_KV_PATH: "http://" }, /^DENO_KV_PATH is "http:\/\/"/],
  [{ DENO_KV_PATH: "https://" }, /^DENO_KV_PATH is "https:\/\/"/],
  [{ DENO_KV_PATH: "redis://kv" }, /^DENO_KV_PATH is "redis:\/\/kv"/],
  [{ METRICS_TOKEN: "s3cr3t s3cr3t" }, /^METRICS_TOKEN has a value that is not shown, but accepts/],
  [{ METRICS_TOKEN: "s3cr3t".repeat(100) }, /^METRICS_TOKEN has a value/],
  [{ ADMINS: "octocat" }, /^ADMINS has "octocat"/],
  [{ ADMINS: "githb:octocat" }, /^ADMINS has "githb:octocat", but accepts github:LOGIN/],
  [{ ADMINS: "oidc:" }, /^ADMINS has "oidc:"/],
  [
    { OIDC_ISSUER: "https://id.example/a b", OIDC_CLIENT_ID: "a" },
    /^OIDC_ISSUER is "https:\/\/id.example\/a b", but accepts an address without white space/,
  ],
  [
    { OIDC_ISSUER: `https://id.example/${"x".repeat(1_000)}`, OIDC_CLIENT_ID: "a" },
    /^OIDC_ISSUER is "https:\/\/id.example\/x+…", but accepts .* at most 1000 bytes\.$/,
  ],
  [{ SOCKETS_PER_USER: "0" }, /^SOCKETS_PER_USER is "0"/],
  [{ MAX_MESSAGE_BYTES: "1e9" }, /^MAX_MESSAGE_BYTES is "1e9"/],
  [{ LOG_LEVEL: "loud" }, /^LOG_LEVEL is "loud", but accepts debug, info, warn, error\.$/],
  [{ LOG_FORMAT: "xml" }, /^LOG_FORMAT is "xml"/],
  [{ DENO_KV_PATH: "http://kv.example" }, /^DENO_KV_PATH is/],
];
for (const [env, message] of WRONG) {
  test(`${JSON.stringify(env)} is refused with one sentence`, () => {
    assert.throws(() => readSettings(env), (error) => {
      assert.ok(error instanceof SettingError);
      assert.match(error.message, message);
      assert.match(error.message, /^[^\n]*\.$/);
      assert.doesNotMatch(error.message, /s3cr3t/);
      return true;
    });
  });
}

test("CHANNEL_PREFIX and CHANNEL_KEYS are checked at the start, without printing a key", () => {
  assert.equal(readSettings({}).channelPrefix, "sluice");
  assert.equal(readSettings({}).channelKeys, undefined);
  assert.equal(readSettings({ CHANNEL_PREFIX: "shop.eu:2" }).channelPrefix, "shop.eu:2");
  const keys = ["a".repeat(32), "b".repeat(40)];
  assert.deepEqual(readSettings({ CHANNEL_KEYS: keys.join(" , ") }).channelKeys, keys);
  for (const CHANNEL_PREFIX of ["a b", "{a}", "a:", ":", "ä", "a*", "~a", "x".repeat(101)]) {
    assert.throws(() => readSettings({ CHANNEL_PREFIX }), /^SettingError: CHANNEL_PREFIX is "/);
  }
  for (const CHANNEL_KEYS of ["hunter2", ",", `${keys[0]},`, `${keys[0]},hunter2`]) {
    assert.throws(
      () => readSettings({ CHANNEL_KEYS }),
      (error: Error) =>
        /^CHANNEL_KEYS has a key that is too short, but accepts/.test(error.message) &&
        !/hunter2|aaaa/.test(error.message),
    );
  }
});

test("CHANNEL_LAYER accepts several nodes, and REDIS_CA_FILE the authorities of their certificates", () => {
  const env = {
    CHANNEL_LAYER: "rediss://u:p%40@a:7000,b:7001",
    REDIS_CA_FILE: "/etc/redis-ca.pem",
  };
  const { channelLayer, redisCaFile } = readSettings(env);
  assert.deepEqual([channelLayer, redisCaFile], [env.CHANNEL_LAYER, env.REDIS_CA_FILE]);
});

test("a password in a URL is never shown", () => {
  for (
    const env of [{ CHANNEL_LAYER: "reddis://u:s3cr3t@host" }, { PUBLIC_URL: "ftp://u:s3cr3t@h" }]
  ) {
    assert.throws(() => readSettings(env), (error: Error) => !error.message.includes("s3cr3t"));
  }
});

const NUMBERS: [name: string, max: string][] = [
  ["PORT", "65535"],
  ["SOCKETS_PER_USER", "1000000"],
  ["SOCKETS_PER_ADDRESS", "1000000"],
  ["HANDSHAKES_PER_ADDRESS", "1000000"],
  ["SIGN_INS_PER_ADDRESS", "1000000"],
  ["SESSIONS_PER_USER", "10000"],
  ["MAX_MESSAGE_BYTES", "268435456"],
  ["SEND_BUFFER_BYTES", "268435456"],
  ["MESSAGES_PER_SECOND", "1000000"],
  ["MESSAGE_BURST", "1000000"],
  ["DRAIN_SECONDS", "3600"],
  ["SESSION_IDLE_TTL", "3650d"],
  ["SESSION_MAX_TTL", "3650d"],
  ["AUDIT_RETENTION", "3650d"],
];
const NO_NUMBERS = ["-1", "1.5", "1e3", "1e99", "0x10", "NaN", "Infinity", "1_000", "1,000", "ten"];
const NO_DURATIONS = [
  "0s",
  "-1s",
  "1.5h",
  "7",
  "7 d",
  "7D",
  "7days",
  "1w",
  "1h30m",
  "NaNd",
  "1e3s",
];
for (const [name, max] of NUMBERS) {
  test(`${name} accepts up to ${max}, and refuses larger or invalid values`, () => {
    readSettings({ [name]: max });
    const isDuration = max.endsWith("d");
    const more = isDuration ? ["3651d", "999999999d", "315360000001ms"] : [`${Number(max) + 1}`];
    const wrong = isDuration ? [...NO_DURATIONS, ...NO_NUMBERS] : [...NO_NUMBERS, "1s"];
    const zero = isDuration || ["PORT", "DRAIN_SECONDS"].includes(name) ? [] : ["0"];
    for (const value of [...more, ...wrong, ...zero, "9".repeat(400)]) {
      assert.throws(() => readSettings({ [name]: value }), (error) => {
        assert.ok(error instanceof SettingError);
        assert.match(
          error.message,
          new RegExp(`^${name} is "[^"]{1,90}", but accepts [^\\n]*\\.$`),
        );
        return true;
      });
    }
  });
}

test("SESSION_MAX_TTL alone also shortens the idle limit", () => {
  const { sessionIdleTtlMs, sessionMaxTtlMs } = readSettings({ SESSION_MAX_TTL: "1d" });
  assert.deepEqual([sessionIdleTtlMs, sessionMaxTtlMs], [86_400_000, 86_400_000]);
});
