/**
 * A key-value database in PostgreSQL 13 or later, on Deno, Node and Bun.
 *
 * @module
 */
export { PostgresKeyValue } from "./postgres_key_value.ts";
