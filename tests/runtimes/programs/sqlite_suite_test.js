// The contract of `KeyValue` over an SQLite file: run with the test runner of Node or Bun.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteKeyValue } from "@sluice/sluice/kv/sqlite";
import { testKeyValue } from "@sluice/sluice/testing";

const create = ({ system }) => new SqliteKeyValue(join(process.env.SUITE_DIR ?? tmpdir(), system));

testKeyValue("SqliteKeyValue", create, { processes: true, hears: true });
