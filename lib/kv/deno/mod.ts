/**
 * Deno KV as a key-value database.
 *
 * @module
 */
export { DenoKeyValue } from "./deno_key_value.ts";
