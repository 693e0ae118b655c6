/**
 * A small contract for key-value databases with atomic check-and-set, and a database in memory.
 * Drivers for SQLite and PostgreSQL are exports of their own.
 *
 * @module
 */
export { AtomicOperation, type KvWrite } from "./atomic_operation.ts";
export type { KeyValue, KvCommit, KvEntry, KvKey, KvPage, KvRange, KvResult } from "./key_value.ts";
export { KeyValueError } from "./key_value_error.ts";
export { listAll } from "./list_all.ts";
export { MemoryKeyValue } from "./memory/memory_key_value.ts";
export { BaseKeyValue } from "./base_key_value.ts";
