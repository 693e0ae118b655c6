import { type Clock, systemClock } from "../../core/clock.ts";
import type { KvMutation, KvWrite } from "../atomic_operation.ts";
import { BaseKeyValue } from "../base_key_value.ts";
import type { KvCommit, KvEntry, KvKey, KvPage, KvResult } from "../key_value.ts";
import { decodeKey, keyText } from "../format/key_codec.ts";
import { type ListRequest, pageOf } from "../list_request.ts";
import { encodeValue, entryOf, resultOf, versionOf } from "../format/portable_value.ts";
import { SortedMap } from "./sorted_map.ts";

/** How often expired entries are removed, in milliseconds: by the first write after that. */
const SWEEP_MS = 60_000;

interface StoredEntry {
  readonly key: Uint8Array;
  readonly value: string;
  readonly version: string;
  readonly expiresAt: number;
}

/**
 * A database in the memory of this process, for tests and for applications that keep nothing.
 *
 * @example
 * ```ts
 * import { MemoryKeyValue } from "@sluice/sluice/kv";
 * import assert from "node:assert/strict";
 *
 * await using kv = new MemoryKeyValue();
 * await kv.set(["room", 2], "lobby");
 * await kv.set(["room", 10], "attic");
 * const { entries } = await kv.list({ prefix: ["room"] });
 * assert.deepEqual(entries.map(({ value }) => value), ["lobby", "attic"]);
 * ```
 */
export class MemoryKeyValue extends BaseKeyValue {
  readonly #clock: Clock;
  readonly #entries = new SortedMap<StoredEntry>();
  #writes = 0;
  #sweptAt = 0;

  /**
   * Creates an empty database.
   *
   * @param options.clock The clock by which entries expire.
   */
  constructor(options: { readonly clock?: Clock } = {}) {
    super();
    this.#clock = options.clock ?? systemClock;
    this.#sweptAt = this.#clock.elapsed();
  }

  /** Reads several keys. */
  protected readMany(
    keys: readonly KvKey[],
    bytes: readonly Uint8Array[],
  ): Promise<KvResult[]> {
    const read = (key: KvKey, index: number) => resultOf(key, this.#find(keyText(bytes[index]!)));
    return Promise.resolve(keys.map(read));
  }

  /** @internal */
  protected readPage(request: ListRequest): Promise<KvPage> {
    const entries: KvEntry[] = [];
    const { limit, reverse } = request;
    const range = this.#entries.range(keyText(request.from), keyText(request.to), reverse);
    for (const stored of range) {
      if (entries.length === limit) break;
      if (this.#isExpired(stored)) continue;
      entries.push(entryOf(decodeKey(stored.key), stored));
    }
    return Promise.resolve(pageOf(entries, request));
  }

  /** Commits a write, if its checks hold. */
  protected write({ checks, mutations, topics }: KvWrite): Promise<KvCommit> {
    const isValid = checks.every(({ bytes, version }) => {
      return (this.#find(keyText(bytes))?.version ?? null) === version;
    });
    if (!isValid) return Promise.resolve({ ok: false });
    this.#sweep();
    const version = versionOf(++this.#writes);
    for (const mutation of mutations) this.#apply(mutation, version);
    this.listeners.call(topics);
    return Promise.resolve({ ok: true, version });
  }

  /** Releases the data. */
  protected end(): Promise<void> {
    this.#entries.clear();
    return Promise.resolve();
  }

  #apply({ bytes, value, expireInMs = Infinity }: KvMutation, version: string): void {
    if (value === undefined) return this.#entries.delete(keyText(bytes));
    const expiresAt = this.#clock.elapsed() + expireInMs;
    const entry = { key: bytes, value: encodeValue(value), version, expiresAt };
    this.#entries.set(keyText(bytes), entry);
  }

  #find(key: string): StoredEntry | undefined {
    const stored = this.#entries.get(key);
    return stored === undefined || this.#isExpired(stored) ? undefined : stored;
  }

  #isExpired({ expiresAt }: StoredEntry): boolean {
    return expiresAt <= this.#clock.elapsed();
  }

  #sweep(): void {
    if (this.#clock.elapsed() - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = this.#clock.elapsed();
    this.#entries.deleteWhere((stored) => this.#isExpired(stored));
  }
}
