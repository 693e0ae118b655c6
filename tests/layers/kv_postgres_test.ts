import assert from "node:assert/strict";
import { after, test } from "node:test";
import { PostgresKeyValue } from "@sluice/sluice/kv/postgres";
import { KvChannelLayer } from "@sluice/sluice/layers/kv";
import { testChannelLayer } from "@sluice/sluice/testing";
import { PostgresServer, whyNoPostgres } from "../support/postgres/postgres_server.ts";

const PROCESSES = 3;
const skip = whyNoPostgres();
let server: Promise<PostgresServer> | undefined;
const handles: Promise<PostgresKeyValue>[] = [];
let created = 0;

async function open(): Promise<PostgresKeyValue> {
  const running = await (server ??= PostgresServer.start());
  return new PostgresKeyValue(running.url(), { maxConnections: 4 });
}

after(async () => {
  for (const kv of handles) await (await kv).close();
  await (await server)?.[Symbol.asyncDispose]();
});

testChannelLayer(
  "KvChannelLayer over PostgreSQL",
  async ({ system, ...options }) => {
    const kv = await (handles[created++ % PROCESSES] ??= open());
    return new KvChannelLayer(kv, { ...options, prefix: system, pollMs: 10 });
  },
  { time: "real", processes: true, skip, timeoutMs: 20_000 },
);

test("KvChannelLayer over PostgreSQL is woken by notifications, and does not wait for a poll", {
  skip: skip ?? false,
  timeout: 20_000,
}, async () => {
  const [here, there] = [await open(), await open()];
  const options = { prefix: "woken", pollMs: 60_000 };
  const [from, to] = [new KvChannelLayer(here, options), new KvChannelLayer(there, options)];
  try {
    const channel = to.newChannel();
    const { promise, resolve } = Promise.withResolvers<unknown>();
    to.attach(channel, { deliver: (message) => (resolve(message), true) });
    await to.groupAdd("room", channel);
    // The first messages may be sent before the other process listens.
    for (let received = false; !received;) {
      await from.groupSend("room", { type: "hello" });
      const waited = new Promise<false>((done) => setTimeout(() => done(false), 50));
      received = await Promise.race([promise.then(() => true), waited]);
    }
    assert.deepEqual(await promise, { type: "hello" });
  } finally {
    for (const layer of [from, to]) await layer.close();
    for (const kv of [here, there]) await kv.close();
  }
});
