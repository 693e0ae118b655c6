import { after } from "node:test";
import { PostgresKeyValue } from "../../lib/kv/postgres/mod.ts";
import { testKeyValue } from "../../lib/testing/mod.ts";
import { PostgresServer, whyNoPostgres } from "../support/postgres/postgres_server.ts";

let server: Promise<PostgresServer> | undefined;
after(async () => void await (await server)?.[Symbol.asyncDispose]());

testKeyValue(
  "PostgresKeyValue",
  async ({ system }) => {
    const running = await (server ??= PostgresServer.start());
    return new PostgresKeyValue(await running.createSchema(system), { maxConnections: 3 });
  },
  { processes: true, hears: true, skip: whyNoPostgres(), timeoutMs: 30_000 },
);
