/**
 * A small contract for key-value databases with atomic check-and-set, and a database in memory.
 * Drivers for SQLite and PostgreSQL are exports of their own.
 *
 * @module
 */
export { AtomicOperation } from "./atomic_operation.ts";
export type { KeyValue, KvEntry, KvKey, KvRange, KvResult } from "./key_value.ts";
export { KeyValueError } from "./key_value_error.ts";
export { listAll } from "./list_all.ts";
export { MemoryKeyValue } from "./memory/memory_key_value.ts";
