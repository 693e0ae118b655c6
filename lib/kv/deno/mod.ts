/**
 * Deno KV as a key-value database.
 *
 * @module
 */
export { DenoKeyValue, type DenoKeyValueOptions, type DenoKvSource } from "./deno_key_value.ts";
