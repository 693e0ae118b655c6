/** What depends on the runtime: Node. */
import { mkdir } from "node:fs/promises";
import process from "node:process";
import type { KeyValue } from "@sluice/sluice/kv";
import { SqliteKeyValue } from "@sluice/sluice/kv/sqlite";
import { serve, type ServeOptions } from "@sluice/sluice/node";

/** Starts the server, or ends the process if it cannot listen. */
export async function start(
  handler: Parameters<typeof serve>[0],
  options: ServeOptions,
): Promise<void> {
  // serve() has logged the reason.
  await serve(handler, options).listening.catch(() => process.exit(1));
}

/** Opens a database in a file that only this user can read. */
export async function openEmbedded(): Promise<KeyValue> {
  await mkdir("data", { recursive: true, mode: 0o700 });
  return new SqliteKeyValue("data/app.sqlite3");
}
