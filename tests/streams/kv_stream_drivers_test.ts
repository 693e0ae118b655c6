import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { KeyValue } from "@sluice/sluice/kv";
import { PostgresKeyValue } from "@sluice/sluice/kv/postgres";
import { SqliteKeyValue } from "@sluice/sluice/kv/sqlite";
import { KvStreamStore } from "@sluice/sluice/streams";
import { testStreamStore } from "@sluice/sluice/testing";
import { PostgresServer, whyNoPostgres } from "../support/postgres/postgres_server.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-streams-"));
const opened: KeyValue[] = [];
let server: Promise<PostgresServer> | undefined;

after(async () => {
  await Promise.all(opened.map((kv) => kv.close()));
  await (await server)?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function keep<K extends KeyValue>(kv: K): K {
  opened.push(kv);
  return kv;
}

testStreamStore("KvStreamStore on SQLite", ({ system, ...options }) => {
  return new KvStreamStore(keep(new SqliteKeyValue(join(folder, system))), options);
}, { processes: true });

testStreamStore("KvStreamStore on PostgreSQL", async ({ system, ...options }) => {
  const url = (await (server ??= PostgresServer.start())).url();
  const kv = keep(new PostgresKeyValue(url, { maxConnections: 2, timeoutMs: 30_000 }));
  return new KvStreamStore(kv, { ...options, prefix: system });
}, { processes: true, skip: whyNoPostgres(), timeoutMs: 30_000 });
