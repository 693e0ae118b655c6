import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { DenoKeyValue } from "../../lib/kv/deno/mod.ts";
import { MemoryKeyValue } from "../../lib/kv/mod.ts";
import { SqliteKeyValue } from "../../lib/kv/sqlite/mod.ts";
import { testKeyValue } from "../../lib/testing/mod.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-kv-"));
after(() => rmSync(folder, { recursive: true }));

testKeyValue("MemoryKeyValue", () => new MemoryKeyValue());

testKeyValue(
  "DenoKeyValue",
  ({ system }) => new DenoKeyValue(() => Deno.openKv(join(folder, system))),
  { processes: true, expiresLate: true },
);

testKeyValue(
  "SqliteKeyValue",
  ({ system }) => new SqliteKeyValue(join(folder, `${system}.sqlite`)),
  { processes: true, hears: true },
);
