import type { SqliteFile, SqliteStatement, SqliteValue } from "../sqlite_file.ts";

/** A statement of `bun:sqlite`. */
interface BunStatement {
  get(...parameters: SqliteValue[]): Record<string, unknown> | null;
  all(...parameters: SqliteValue[]): Record<string, unknown>[];
  run(...parameters: SqliteValue[]): { readonly changes: number };
}

/** The part of `bun:sqlite` that the driver uses; its types would redefine globals. */
interface BunSqlite {
  readonly Database: new (path: string) => {
    exec(sql: string): unknown;
    prepare(sql: string): BunStatement;
    close(): void;
  };
}

/** A variable, so that other runtimes and bundlers do not look for the module. */
const MODULE = "bun:sqlite";

/** Returns whether this is Bun. */
export function isBun(): boolean {
  return "Bun" in globalThis;
}

/** Opens a file with `bun:sqlite`. */
export async function openWithBun(path: string): Promise<SqliteFile> {
  const { Database }: BunSqlite = await import(MODULE);
  const db = new Database(path);
  return {
    exec(sql) {
      db.exec(sql);
    },
    prepare: (sql) => toStatement(db.prepare(sql)),
    close: () => db.close(),
  };
}

function toStatement(statement: BunStatement): SqliteStatement {
  return {
    get: (...parameters) => statement.get(...parameters) ?? undefined,
    all: (...parameters) => statement.all(...parameters),
    run: (...parameters) => statement.run(...parameters),
  };
}
