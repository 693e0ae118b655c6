import { setTimeout } from "node:timers/promises";
import { retryPauseMs } from "../time/retry_pause.ts";
import type { KvCheck, KvCommit, KvKey } from "./kv_entry.ts";
import { KeyValueError } from "./key_value_error.ts";
import { encodeKey, keyText } from "./format/key_codec.ts";
import { copyValue } from "./format/portable_value.ts";

/** Most conditions of an atomic operation. */
const MAX_CHECKS = 10;

/** Most writes of an atomic operation. */
const MAX_MUTATIONS = 500;

/** Most bytes of the keys and values of an atomic operation. */
const MAX_TOTAL = 800_000;

/** Most bytes of the keys of an atomic operation. */
const MAX_KEY_BYTES_TOTAL = 80_000;

/** Most attempts of a change. */
const MAX_ATTEMPTS = 50;

/** The longest pause between two attempts, in milliseconds. */
const MAX_PAUSE_MS = 64;

/**
 * A write of a {@linkcode KvWrite}. The key is in its encoded form as well.
 *
 * @internal
 */
export interface KvMutation {
  /** The key. */
  readonly key: KvKey;
  /** The key by {@linkcode encodeKey}. */
  readonly bytes: Uint8Array;
  /** The value, or undefined to delete the entry. */
  readonly value: unknown;
  /** An upper bound of the value's bytes. */
  readonly size: number;
  /** Milliseconds until the entry expires. */
  readonly expireInMs: number | undefined;
}

/**
 * The content of an atomic operation. A key occurs at most once in each list.
 *
 * @internal
 */
export interface KvWrite {
  /** The conditions. */
  readonly checks: readonly (KvCheck & { readonly bytes: Uint8Array })[];
  /** The writes. */
  readonly mutations: readonly KvMutation[];
  /** The topics whose listeners are called after the commit. */
  readonly topics: readonly string[];
  /** No attempt begins once it is aborted. */
  readonly signal: AbortSignal | undefined;
  /** If set, the `home()` that the database must still have. */
  readonly home?: string | undefined;
}

/**
 * Collects checks and writes, and commits them together: all or none. Of several writes of one key,
 * the last one counts.
 *
 * @example
 * ```ts
 * import { MemoryKeyValue } from "@sluice/sluice/kv";
 * import assert from "node:assert/strict";
 *
 * await using kv = new MemoryKeyValue();
 * const create = () => kv.atomic().check({ key: ["a"], version: null }).set(["a"], 1).commit();
 * assert.deepEqual([(await create()).ok, (await create()).ok], [true, false]);
 * ```
 */
export class AtomicOperation {
  readonly #commit: (write: KvWrite) => Promise<KvCommit>;
  readonly #checks = new Map<string, KvCheck & { readonly bytes: Uint8Array }>();
  readonly #mutations = new Map<string, KvMutation>();
  readonly #topics = new Set<string>();
  #isContradictory = false;

  /**
   * Called by the database: see `KeyValue.atomic()`.
   *
   * @param commit Commits the content in a driver.
   */
  constructor(commit: (write: KvWrite) => Promise<KvCommit>) {
    this.#commit = commit;
  }

  /** Adds conditions: results of reads, or `{ key, version: null }` for a key without a value. */
  check(...checks: readonly KvCheck[]): this {
    for (const { key, version } of checks) {
      const bytes = encodeKey(key);
      const text = keyText(bytes);
      const earlier = this.#checks.get(text);
      if (earlier !== undefined && earlier.version !== version) this.#isContradictory = true;
      this.#checks.set(text, { key, version, bytes });
    }
    return this;
  }

  /**
   * Adds a write. The value is copied.
   *
   * @throws {TypeError} The value is not JSON and bytes.
   * @throws {RangeError} The value or the key is too large, or `expireInMs` is not above 0.
   */
  set(
    key: KvKey,
    value: unknown,
    { expireInMs }: { readonly expireInMs?: number | undefined } = {},
  ): this {
    if (expireInMs !== undefined && !(expireInMs > 0 && expireInMs <= Number.MAX_SAFE_INTEGER)) {
      throw new RangeError(`Cannot expire an entry in ${expireInMs} ms`);
    }
    const ms = expireInMs === undefined ? undefined : Math.ceil(expireInMs);
    return this.#add(key, { ...copyValue(value), expireInMs: ms });
  }

  /** Adds a deletion. A missing entry does not fail the operation. */
  delete(key: KvKey): this {
    return this.#add(key, { value: undefined, size: 0, expireInMs: undefined });
  }

  /** Calls the listeners of a topic after the commit, see {@linkcode KeyValue.onChange}. */
  notify(topic: string): this {
    this.#topics.add(checkTopic(topic));
    return this;
  }

  /**
   * Commits the operation. It can be committed again.
   *
   * @param options.signal When it is aborted, no further attempt is made: while a database is locked
   * by others, a commit that was given up does not happen later.
   * @param options.home The `KeyValue.home()` of the reads before: with another one, the commit fails.
   * @throws {RangeError} There are more than 10 checks or 500 writes, or they exceed 800,000 bytes.
   * @throws {KeyValueError} The database cannot be used. The writes may have happened.
   */
  async commit(
    { signal, home }: { readonly signal?: AbortSignal; readonly home?: string | undefined } = {},
  ): Promise<KvCommit> {
    const checks = [...this.#checks.values()];
    const mutations = [...this.#mutations.values()];
    assertSize(checks, mutations);
    if (this.#isContradictory) return { ok: false };
    if (signal?.aborted) throw new KeyValueError("UNAVAILABLE", "The commit was given up");
    return await this.#commit({ checks, mutations, topics: [...this.#topics], signal, home });
  }

  #add(key: KvKey, change: Omit<KvMutation, "key" | "bytes">): this {
    const bytes = encodeKey(key);
    this.#mutations.set(keyText(bytes), { key, bytes, ...change });
    return this;
  }
}

function assertSize(
  checks: readonly { readonly bytes: Uint8Array }[],
  mutations: readonly KvMutation[],
): void {
  if (checks.length > MAX_CHECKS) {
    throw new RangeError(`Cannot commit ${checks.length} checks: the limit is ${MAX_CHECKS}`);
  }
  if (mutations.length > MAX_MUTATIONS) {
    throw new RangeError(`Cannot commit ${mutations.length} writes: the limit is ${MAX_MUTATIONS}`);
  }
  const keys = [...checks, ...mutations].reduce((sum, { bytes }) => sum + bytes.length, 0);
  const values = mutations.reduce((sum, { size }) => sum + size, 0);
  if (keys > MAX_KEY_BYTES_TOTAL || keys + values > MAX_TOTAL) {
    throw new RangeError(`Cannot commit ${keys + values} bytes: the limit is ${MAX_TOTAL}`);
  }
}

/** Returns a valid topic. @throws {TypeError} It is not 1 to 200 of `A-Z a-z 0-9 . _ : -`. */
export function checkTopic(topic: string): string {
  if (/^[\w.:-]{1,200}$/.test(topic)) return topic;
  throw new TypeError(`Cannot use "${topic}" as a topic: it has 1 to 200 of A-Z a-z 0-9 . _ : -`);
}

/** A planned change and its result. */
export interface PlannedChange<T, O = AtomicOperation> {
  /** Returned once the operation is committed. */
  readonly result: T;
  /** The operation; undefined if nothing is to be written. */
  readonly operation?: O | undefined;
}

/**
 * Reads, plans and commits a change, and plans it again after each conflict with another write.
 * Between two attempts it waits for a random time.
 *
 * @throws {Error} 50 attempts conflicted with other writes.
 */
export async function retryConflicts<T>(
  action: string,
  plan: () => Promise<PlannedChange<T, { commit(): Promise<{ readonly ok: boolean }> }>>,
): Promise<T> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const { result, operation } = await plan();
    if (operation === undefined || (await operation.commit()).ok) return result;
    await setTimeout(Math.random() * retryPauseMs(attempt, { minMs: 1, maxMs: MAX_PAUSE_MS }));
  }
  throw new Error(`Cannot ${action}: ${MAX_ATTEMPTS} attempts conflicted with other writes`);
}
