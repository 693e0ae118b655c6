import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { inspect } from "node:util";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { testChannelLayer } from "@sluice/sluice/testing";
import { createServices } from "../../../app/services.ts";
import { reportLayer } from "../../../app/layer.ts";
import { readSettings } from "../../../app/settings/settings.ts";
import { Certificates, whyNoCertificates } from "../../support/redis/certificates.ts";
import { freePort } from "../../support/free_port.ts";
import { RedisServer, whyNoRedis } from "../../support/redis/redis_server.ts";

const skip = whyNoRedis() ?? whyNoCertificates();
const options = { skip: skip ?? false, timeout: 10_000 };
const PASSWORD = "s3cr3t/@:%";

/** All commands that the driver needs, as listed in `docs/guides/deployment.md`. */
const COMMANDS = "+hello +select +ping +time +cluster|slots +cluster|info +asking +script|load " +
  "+evalsha +ssubscribe +sunsubscribe +spublish +zadd +zrem +zrangebyscore +zremrangebyscore " +
  "+hget +hmget +hset +hdel +pexpire +pttl +scan +unlink";

let certificates: Certificates;
let server: RedisServer;
let port = 0;

before(async () => {
  if (skip !== undefined) return;
  certificates = await Certificates.create();
  port = freePort();
  server = await RedisServer.start([
    ...["--bind", "127.0.0.1", "127.0.0.2"],
    ...["--tls-port", `${port}`, "--tls-auth-clients", "no"],
    ...["--tls-cert-file", certificates.certificate, "--tls-key-file", certificates.key],
    ...["--tls-ca-cert-file", certificates.ca],
    ...[
      "--user",
      "sluice",
      "on",
      `>${PASSWORD}`,
      "~test-*",
      "~sluice:*",
      "&test-*",
      "&sluice:*",
      "-@all",
      ...COMMANDS.split(" "),
    ],
  ]);
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await certificates?.[Symbol.asyncDispose]();
});

function address({ user = "sluice", password = PASSWORD, host = "127.0.0.1" } = {}): string {
  return `rediss://${user}:${encodeURIComponent(password)}@${host}:${port}`;
}

let ca: Promise<string> | undefined;

testChannelLayer(
  "RedisChannelLayer with TLS, a user and few rights",
  async ({ system, ...options }) => {
    ca ??= readFile(certificates.ca, "utf8");
    return new RedisChannelLayer(address(), { ...options, prefix: system, ca: await ca });
  },
  { time: "real", processes: true, skip },
);

/** Returns the error message of a refused layer; fails if the error contains a secret. */
async function refusal(url: string, caFile: string | undefined): Promise<string> {
  const ca = caFile && await readFile(caFile, "utf8");
  const layer = new RedisChannelLayer(url, ca ? { ca } : {});
  try {
    await layer.check();
  } catch (error) {
    for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), "wrong-password"]) {
      assert.ok(!inspect(error, { depth: 9 }).includes(secret));
    }
    assert.equal((error as { code?: string }).code, "UNAVAILABLE");
    return (error as Error).message;
  } finally {
    await layer.close();
  }
  assert.fail("The layer was not refused");
}

test(
  "RedisChannelLayer refuses a certificate from an unknown authority or for another name",
  options,
  async () => {
    const sentence =
      "The certificate of Redis is not valid for its address, or not from a trusted authority";
    assert.equal(await refusal(address(), undefined), sentence);
    assert.equal(await refusal(address(), certificates.otherCa), sentence);
    assert.equal(await refusal(address({ host: "127.0.0.2" }), certificates.ca), sentence);
    assert.doesNotMatch(await refusal(`redis://127.0.0.1:${port}`, undefined), /certificate/);
  },
);

test(
  "RedisChannelLayer reports a wrong password or user without repeating it",
  options,
  async () => {
    const sentence = "Redis refused the user name or password, or the user lacks permissions";
    const wrong = { password: "wrong-password" };
    assert.equal(await refusal(address(wrong), certificates.ca), sentence);
    assert.equal(await refusal(address({ user: "nobody" }), certificates.ca), sentence);
  },
);

test(
  "the app uses REDIS_CA_FILE, and logs why a layer cannot be used",
  options,
  async () => {
    const warnings: unknown[] = [];
    const log = {
      debug() {},
      info() {},
      error() {},
      warn: (message: string, fields?: unknown) => void warnings.push([message, fields]),
    };
    for (
      const [REDIS_CA_FILE, count] of [[certificates.ca, 0], [certificates.otherCa, 1]] as const
    ) {
      const env = { DENO_KV_PATH: ":memory:", CHANNEL_LAYER: address(), REDIS_CA_FILE };
      const services = createServices(readSettings(env), { log });
      await reportLayer(services);
      await services.close();
      assert.equal(warnings.length, count);
    }
    assert.match(inspect(warnings), /cannot be used.*certificate of Redis/s);
    assert.ok(!inspect(warnings).includes(encodeURIComponent(PASSWORD)));
  },
);
