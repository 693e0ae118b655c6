// The suite of databases over the drivers of this runtime. `POSTGRES_URL` names a server, whose schemas
// `NAME_0`, `NAME_1` … are empty; `SCHEMA` is the name.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after } from "node:test";
import { MemoryKeyValue } from "@sluice/sluice/kv";
import { PostgresKeyValue } from "@sluice/sluice/kv/postgres";
import { SqliteKeyValue } from "@sluice/sluice/kv/sqlite";
import { testKeyValue } from "@sluice/sluice/testing";

const folder = mkdtempSync(join(tmpdir(), "sluice-stores-"));
after(() => rmSync(folder, { recursive: true }));

testKeyValue("MemoryKeyValue", () => new MemoryKeyValue());

const shared = { processes: true, hears: true };
testKeyValue("SqliteKeyValue", ({ system }) => new SqliteKeyValue(join(folder, system)), shared);

const { POSTGRES_URL, SCHEMA } = process.env;
const systems = [];
testKeyValue("PostgresKeyValue", ({ system }) => {
  if (!systems.includes(system)) systems.push(system);
  const schema = `${SCHEMA}_${systems.indexOf(system)}`;
  return new PostgresKeyValue(`${POSTGRES_URL}${schema}`, { maxConnections: 3 });
}, {
  ...shared,
  skip: POSTGRES_URL ? undefined : "there is no PostgreSQL",
  timeoutMs: 60_000,
});
