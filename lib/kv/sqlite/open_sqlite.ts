/** A value of a column or a parameter. */
type SqliteValue = null | number | bigint | string | Uint8Array;

/** A row: a statement of the driver returns some of these columns. */
interface SqliteRow {
  readonly key: Uint8Array;
  readonly value: unknown;
  readonly version: unknown;
  readonly data_version?: unknown;
}

/** A prepared statement, as far as the driver uses it. */
export interface SqliteStatement {
  /** Returns the first row. */
  get(...parameters: SqliteValue[]): SqliteRow | undefined;
  /** Returns all rows. */
  all(...parameters: SqliteValue[]): SqliteRow[];
  /** Runs it and counts the changed rows. */
  run(...parameters: SqliteValue[]): { readonly changes: number | bigint };
}

/** An open file, as far as the driver uses it: `node:sqlite`, or `bun:sqlite` on Bun. */
export interface SqliteFile {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

/** The part of `bun:sqlite` that the driver uses; its types would redefine globals. */
interface BunSqlite {
  readonly Database: new (path: string) => Omit<SqliteFile, "prepare"> & {
    prepare(sql: string): Omit<SqliteStatement, "get"> & {
      get(...parameters: SqliteValue[]): SqliteRow | null;
    };
  };
}

/** A variable, so that other runtimes and bundlers do not look for the module. */
const BUN_MODULE = "bun:sqlite";

/** Opens a file with the SQLite of the runtime. Bun 1.3 has no `node:sqlite`. */
export async function openSqlite(path: string): Promise<SqliteFile> {
  if ("Bun" in globalThis) return await openWithBun(path);
  const { DatabaseSync } = await import("node:sqlite");
  return new DatabaseSync(path) as unknown as SqliteFile;
}

async function openWithBun(path: string): Promise<SqliteFile> {
  const { Database }: BunSqlite = await import(BUN_MODULE);
  const db = new Database(path);
  const prepare = (sql: string): SqliteStatement => {
    const statement = db.prepare(sql);
    return {
      get: (...parameters) => statement.get(...parameters) ?? undefined,
      all: (...parameters) => statement.all(...parameters),
      run: (...parameters) => statement.run(...parameters),
    };
  };
  return { exec: (sql) => db.exec(sql), prepare, close: () => db.close() };
}
