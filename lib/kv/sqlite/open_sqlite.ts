import { isBun, openWithBun } from "./bun/bun_sqlite.ts";
import type { SqliteFile } from "./sqlite_file.ts";

/** Opens a file with the SQLite of the runtime. Bun 1.3 has no `node:sqlite`. */
export async function openSqlite(path: string): Promise<SqliteFile> {
  if (isBun()) return await openWithBun(path);
  const { DatabaseSync } = await import("node:sqlite");
  return new DatabaseSync(path);
}
