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

/** The result of reading one key. */
export type KvResult<T = unknown> =
  | KvEntry<T>
  | {
    /** The key that was read, which has no value. */
    readonly key: KvKey;
    /** Always undefined. `undefined` cannot be stored. */
    readonly value: undefined;
    /** Always null: a check with it succeeds while the key has no value. */
    readonly version: null;
  };

/** @internal A condition of a commit: the key still has this version, or no value if it is null. */
export type KvCheck = Pick<KvResult, "key" | "version">;

/**
 * The result of a commit. It is not `ok` if a check failed; then nothing was written.
 *
 * @internal
 */
export type KvCommit = { readonly ok: true; readonly version: string } | { readonly ok: false };

/** The entries that are listed: those whose keys begin with `prefix` and are longer. */
export interface KvRange {
  /** The beginning of the keys; `[]` selects all entries. */
  readonly prefix: KvKey;
  /** The first key, included. It begins with `prefix` and is longer. */
  readonly start?: KvKey | undefined;
  /** The key after the last one, excluded. It begins with `prefix` and is longer. */
  readonly end?: KvKey | undefined;
}

/**
 * A page of entries.
 *
 * @internal
 */
export interface KvPage<T = unknown> {
  /** The entries in the order of their keys. */
  readonly entries: readonly KvEntry<T>[];
  /** Continues after this page. Undefined if the page was not full: there are no more entries. */
  readonly cursor: string | undefined;
}
