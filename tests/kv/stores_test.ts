import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { DenoKeyValue } from "../../lib/kv/deno/mod.ts";
import { type KeyValue, MemoryKeyValue } from "../../lib/kv/mod.ts";
import { SqliteKeyValue } from "../../lib/kv/sqlite/mod.ts";
import { testStores } from "../support/stores/test_stores.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-stores-"));
const opened: KeyValue[] = [];

after(async () => {
  for (const kv of opened) await kv.close();
  rmSync(folder, { recursive: true });
});

function keep(kv: KeyValue): KeyValue {
  opened.push(kv);
  return kv;
}

testStores("memory", () => new MemoryKeyValue());

testStores("Deno KV", () => keep(new DenoKeyValue(() => Deno.openKv(":memory:"))));

testStores("SQLite", () => keep(new SqliteKeyValue(join(folder, crypto.randomUUID()))));
