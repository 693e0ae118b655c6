/**
 * Deno KV as a key-value database.
 *
 * @module
 */
export { DenoKeyValue, type DenoKeyValueOptions } from "./deno_key_value.ts";
