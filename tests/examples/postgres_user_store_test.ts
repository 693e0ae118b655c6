import { after } from "node:test";
// @ts-types="@types/pg"
import pg from "pg";
import { testUserStore } from "@sluice/sluice/testing";
import { PostgresUserStore, SCHEMA } from "../../examples/own_users/postgres_user_store.ts";
import { PostgresServer, whyNoPostgres } from "../support/postgres/postgres_server.ts";

let server: Promise<PostgresServer> | undefined;
let pool: pg.Pool | undefined;

after(async () => {
  await pool?.end();
  await (await server)?.[Symbol.asyncDispose]();
});

/** Returns a store over an empty table. */
async function create(clock: { now(): number }): Promise<PostgresUserStore> {
  const running = await (server ??= PostgresServer.start());
  pool ??= new pg.Pool({ connectionString: running.url(), max: 5 });
  await pool.query(SCHEMA);
  await pool.query("truncate users");
  return new PostgresUserStore(pool, { now: () => clock.now() });
}

testUserStore("PostgresUserStore", create, { skip: whyNoPostgres(), timeoutMs: 30_000 });
