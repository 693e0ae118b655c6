/** What depends on the runtime: Bun. */
import { mkdir } from "node:fs/promises";
import { serve, type ServeOptions } from "@sluice/sluice/bun";
import type { KeyValue } from "@sluice/sluice/kv";
import { SqliteKeyValue } from "@sluice/sluice/kv/sqlite";

/** Starts the server. Throws if it cannot listen. */
export function start(handler: Parameters<typeof serve>[0], options: ServeOptions): void {
  serve(handler, options);
}

/** Opens a database in a file that only this user can read. */
export async function openEmbedded(): Promise<KeyValue> {
  await mkdir("data", { recursive: true, mode: 0o700 });
  return new SqliteKeyValue("data/app.sqlite3");
}
