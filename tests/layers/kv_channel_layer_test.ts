import { after } from "node:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KeyValue } from "@sluice/sluice/kv";
import { DenoKeyValue } from "@sluice/sluice/kv/deno";
import { SqliteKeyValue } from "@sluice/sluice/kv/sqlite";
import { KvChannelLayer } from "@sluice/sluice/layers/kv";
import { testChannelLayer } from "@sluice/sluice/testing";

const PROCESSES = 3;
const folder = mkdtempSync(join(tmpdir(), "sluice-kv-"));
const opened: KeyValue[] = [];

after(async () => {
  for (const kv of opened) await kv.close();
  rmSync(folder, { recursive: true, force: true });
});

const drivers: [name: string, open: () => KeyValue][] = [
  ["Deno KV", () => new DenoKeyValue(() => Deno.openKv(join(folder, "kv.sqlite3")))],
  ["SQLite", () => new SqliteKeyValue(join(folder, "sqlite.sqlite3"))],
];

for (const [name, open] of drivers) {
  const handles = Array.from({ length: PROCESSES }, open);
  opened.push(...handles);
  let created = 0;
  testChannelLayer(
    `KvChannelLayer over ${name}`,
    ({ system, ...options }) => {
      const kv = handles[created++ % PROCESSES]!;
      return new KvChannelLayer(kv, { ...options, prefix: system, pollMs: 10 });
    },
    { time: "real", processes: true },
  );
}
