import { after } from "node:test";
import type { KeyValue } from "../../lib/kv/mod.ts";
import { PostgresKeyValue } from "../../lib/kv/postgres/mod.ts";
import { PostgresServer, whyNoPostgres } from "../support/postgres/postgres_server.ts";
import { testStores } from "../support/stores/test_stores.ts";

let server: Promise<PostgresServer> | undefined;
let last: KeyValue | undefined;

after(async () => {
  await last?.close();
  await (await server)?.[Symbol.asyncDispose]();
});

testStores("PostgreSQL", async () => {
  const running = await (server ??= PostgresServer.start());
  await last?.close();
  const url = await running.createSchema(crypto.randomUUID());
  return last = new PostgresKeyValue(url, { maxConnections: 3, timeoutMs: 30_000 });
}, { skip: whyNoPostgres() });
