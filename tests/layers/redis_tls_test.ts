import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { inspect } from "node:util";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { testChannelLayer } from "@sluice/sluice/testing";
import { createServices } from "../../app/services.ts";
import { reportLayer } from "../../app/layer.ts";
import { readSettings } from "../../app/settings.ts";
import { Certificates, whyNoCertificates } from "./certificates.ts";
import { freePort, RedisServer, whyNoRedis } from "./redis_server.ts";

const skip = whyNoRedis() ?? whyNoCertificates();
const options = { skip: skip ?? false, timeout: 10_000 };
const PASSWORD = "s3cr3t/@:%";

/** All that the driver needs; `docs/guides/deployment.md` names them. */
const COMMANDS = "+hello +select +ping +time +cluster|slots +cluster|info +asking +script|load " +
  "+evalsha +ssubscribe +sunsubscribe +spublish +zadd +zrem +zrangebyscore +zremrangebyscore " +
  "+hget +hmget +hset +hdel +pexpire +pttl +scan +unlink";

let certificates: Certificates;
let server: RedisServer;
let port = 0;

before(async () => {
  if (skip !== undefined) return;
  certificates = await Certificates.create();
  port = await freePort();
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

/** The sentence with which a layer is refused; fails where a secret is anywhere in the error. */
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
  assert.fail("It was let in");
}

test(
  "a certificate of an authority that is not known, or for another name, is refused",
  options,
  async () => {
    const sentence =
      "The certificate of Redis is not valid for its address, or of no authority known here";
    assert.equal(await refusal(address(), undefined), sentence);
    assert.equal(await refusal(address(), certificates.otherCa), sentence);
    assert.equal(await refusal(address({ host: "127.0.0.2" }), certificates.ca), sentence);
    assert.doesNotMatch(await refusal(`redis://127.0.0.1:${port}`, undefined), /certificate/);
  },
);

test("a wrong password or user is refused in a sentence without either", options, async () => {
  const sentence = "Redis refuses this user or password, or this user may not do what is needed";
  const wrong = { password: "wrong-password" };
  assert.equal(await refusal(address(wrong), certificates.ca), sentence);
  assert.equal(await refusal(address({ user: "nobody" }), certificates.ca), sentence);
});

test(
  "the app takes REDIS_CA_FILE, and says in its log why a layer cannot be used",
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
