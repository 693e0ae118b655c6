import type { AtomicOperation } from "./atomic_operation.ts";
import type { KvKey, KvPage, KvRange, KvResult } from "./kv_entry.ts";

export type { KvCheck, KvCommit, KvEntry, KvKey, KvPage, KvRange, KvResult } from "./kv_entry.ts";

/**
 * A key-value database with atomic check-and-set: what the stores of this toolkit need from one.
 *
 * `docs/kv_spec.md` lists its guarantees; `testKeyValue()` of the test kit checks them for a driver.
 * Values are what JSON can express, and bytes. Types of values are not checked when they are read.
 *
 * @example
 * ```ts
 * import { type KeyValue, MemoryKeyValue } from "@sluice/sluice/kv";
 * import assert from "node:assert/strict";
 *
 * await using kv: KeyValue = new MemoryKeyValue();
 * await kv.set(["users", "ada"], { name: "Ada" });
 * const user = await kv.get<{ name: string }>(["users", "ada"]);
 * const { ok } = await kv.atomic().check(user).set(user.key, { name: "Ada Lovelace" }).commit();
 * assert.equal(ok, true);
 * ```
 */
export interface KeyValue extends AsyncDisposable {
  /** Reads one key. */
  get<T = unknown>(key: KvKey): Promise<KvResult<T>>;
  /** Reads keys, and returns the results in the same order. Up to ten are read at one moment. */
  getMany<T = unknown>(keys: readonly KvKey[]): Promise<KvResult<T>[]>;
  /** Reads a page of entries in the order of their keys, at one moment. */
  list<T = unknown>(range: KvRange, options?: {
    /** Most entries in the page: 1 to 1,000. @default {100} */
    readonly limit?: number;
    /** Lists the greatest keys first. @default {false} */
    readonly reverse?: boolean;
    /** The `cursor` of the previous page, to continue after it. Range and direction must be the same. */
    readonly cursor?: string | undefined;
  }): Promise<KvPage<T>>;
  /** Writes one entry unconditionally, and returns its version. */
  set(key: KvKey, value: unknown, options?: {
    /** Removes the entry so many milliseconds later, or up to a minute after that. @default {never} */
    readonly expireInMs?: number | undefined;
  }): Promise<string>;
  /** Deletes an entry if it exists. */
  delete(key: KvKey): Promise<void>;
  /** Starts an operation of several checks and writes that are committed together. */
  atomic(): AtomicOperation;
  /**
   * Calls `listener` soon after a commit with `notify(topic)`.
   *
   * This is a hint: calls may be missing, late, merged, or without a cause. Whether commits of other
   * processes are noticed depends on the driver. Poll as well.
   *
   * @returns A function that stops the calls.
   */
  onChange(topic: string, listener: () => void): () => void;
  /**
   * Returns what identifies the server and its history: another value after a restart or a failover,
   * in which the server may have lost commits. A database without this method loses none, or does not
   * know.
   */
  home?(): Promise<string | undefined>;
  /** Ends the use of the database. Later calls reject with `CLOSED`. */
  close(): Promise<void>;
}

/** @internal Options of {@linkcode KeyValue.list}. */
export type KvListOptions = NonNullable<Parameters<KeyValue["list"]>[1]>;

/** @internal Options of {@linkcode KeyValue.set}. */
export type KvSetOptions = NonNullable<Parameters<KeyValue["set"]>[2]>;
