/** A value of a column or a parameter. */
export type SqliteValue = null | number | bigint | string | Uint8Array;

/** A prepared statement, as far as the driver uses it. */
export interface SqliteStatement {
  /** Returns the first row. */
  get(...parameters: SqliteValue[]): Record<string, unknown> | undefined;
  /** Returns all rows. */
  all(...parameters: SqliteValue[]): Record<string, unknown>[];
  /** Runs it and counts the changed rows. */
  run(...parameters: SqliteValue[]): { readonly changes: number | bigint };
}

/** An open file, as far as the driver uses it: `node:sqlite`, or `bun:sqlite` on Bun. */
export interface SqliteFile {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}
