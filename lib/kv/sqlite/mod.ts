/**
 * A key-value database in an SQLite file, on `node:sqlite` (Deno 2.2 and Node 22.5 or later) or
 * `bun:sqlite`.
 *
 * @module
 */
export { SqliteKeyValue } from "./sqlite_key_value.ts";
