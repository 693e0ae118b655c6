/**
 * A key: strings and finite numbers. Keys that begin alike are stored next to each other; strings
 * sort before numbers.
 */
export type KvKey = readonly (string | number)[];

/** A stored value, with its version. */
export interface KvEntry<T = unknown> {
  /** The key of the entry. */
  readonly key: KvKey;
  /** The stored value: a copy that belongs to the caller. */
  readonly value: T;
  /** The version of the write that stored the value. Later versions are greater strings. */
  readonly version: string;
}

/** The result of reading a key without a value. */
export interface KvMissing {
  /** The key that was read. */
  readonly key: KvKey;
  /** Always undefined. `undefined` cannot be stored. */
  readonly value: undefined;
  /** Always null: a check with it succeeds while the key has no value. */
  readonly version: null;
}

/** The result of reading one key. */
export type KvResult<T = unknown> = KvEntry<T> | KvMissing;

/** A condition of a commit: the key still has this version, or no value if it is null. */
export interface KvCheck {
  /** The key. */
  readonly key: KvKey;
  /** The version that was read. */
  readonly version: string | null;
}

/** The result of a commit. It is not `ok` if a check failed; then nothing was written. */
export type KvCommit = { readonly ok: true; readonly version: string } | { readonly ok: false };

/** Options of a write. */
export interface KvSetOptions {
  /** Removes the entry so many milliseconds later, or up to a minute after that. @default {never} */
  readonly expireInMs?: number | undefined;
}

/** The entries that are listed: those whose keys begin with `prefix` and are longer. */
export interface KvRange {
  /** The beginning of the keys; `[]` selects all entries. */
  readonly prefix: KvKey;
  /** The first key, included. It begins with `prefix` and is longer. */
  readonly start?: KvKey | undefined;
  /** The key after the last one, excluded. It begins with `prefix` and is longer. */
  readonly end?: KvKey | undefined;
}

/** Options of `KeyValue.list()`. */
export interface KvListOptions {
  /** Most entries in the page: 1 to 1,000. @default {100} */
  readonly limit?: number;
  /** Lists the greatest keys first. @default {false} */
  readonly reverse?: boolean;
  /** The `cursor` of the previous page, to continue after it. Range and direction must be the same. */
  readonly cursor?: string | undefined;
}

/** A page of entries. */
export interface KvPage<T = unknown> {
  /** The entries in the order of their keys. */
  readonly entries: readonly KvEntry<T>[];
  /** Continues after this page. Undefined if the page was not full: there are no more entries. */
  readonly cursor: string | undefined;
}
