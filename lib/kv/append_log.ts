import type { AtomicOperation } from "./atomic_operation.ts";
import type { KeyValue, KvCheck, KvKey } from "./key_value.ts";
import { listAll } from "./list_all.ts";

/** The end of a log at one moment. */
export interface LogHead {
  /** The number of the last entry; 0 if there is none. */
  readonly number: number;
  /** Holds until another entry is appended. */
  readonly check: KvCheck;
}

/** Options of an {@linkcode AppendLog}. */
export interface AppendLogOptions {
  /** The key that holds the number of the last entry. */
  readonly headKey: KvKey;
  /** The prefix of the entries, whose keys end with their numbers. */
  readonly prefix: KvKey;
  /** How long an entry is kept at least, in milliseconds. */
  readonly keepMs: number;
  /** The topic that is notified of new entries. */
  readonly topic: string;
}

/**
 * A log in a database. Entries are numbered from 1 without gaps, in the order of their commits, so
 * that a reader notices missing ones.
 */
export class AppendLog<T> {
  readonly #kv: KeyValue;
  readonly #options: AppendLogOptions;

  /** @param kv The database. */
  constructor(kv: KeyValue, options: AppendLogOptions) {
    this.#kv = kv;
    this.#options = options;
  }

  /** Reads the end of the log. */
  async head(): Promise<LogHead> {
    const { value = 0, key, version } = await this.#kv.get<number>(this.#options.headKey);
    return { number: value, check: { key, version } };
  }

  /**
   * Adds entries to an operation. Its commit fails if another one appends after `head` was read.
   * Quiet entries wake no reader.
   *
   * @returns The number of the last entry.
   */
  append(
    operation: AtomicOperation,
    head: LogHead,
    entries: readonly T[],
    { isQuiet = false }: { readonly isQuiet?: boolean } = {},
  ): number {
    const { headKey, keepMs: expireInMs, topic } = this.#options;
    const last = head.number + entries.length;
    operation.check(head.check).set(headKey, last);
    if (!isQuiet) operation.notify(topic);
    for (const [index, entry] of entries.entries()) {
      operation.set(this.#keyOf(head.number + 1 + index), entry, { expireInMs });
    }
    return last;
  }

  /** Returns an entry, or undefined if it does not exist or has expired. */
  async get(number: number): Promise<T | undefined> {
    return (await this.#kv.get<T>(this.#keyOf(number))).value;
  }

  /** Returns the entries after one number, up to another, with their numbers. */
  read(after: number, until: number): Promise<readonly [number, T][]> {
    const { prefix } = this.#options;
    const range = { prefix, start: this.#keyOf(after + 1), end: this.#keyOf(until + 1) };
    const entries = listAll<T>(this.#kv, range, { pageSize: 500 });
    return Array.fromAsync(entries, ({ key, value }) => [Number(key.at(-1)), value]);
  }

  /** Calls `listener` soon after an append, as a hint: see {@linkcode KeyValue.onChange}. */
  onAppend(listener: () => void): () => void {
    return this.#kv.onChange(this.#options.topic, listener);
  }

  /** Deletes up to 500 entries before a number, and returns how many. */
  async deleteBefore(number: number): Promise<number> {
    const { prefix } = this.#options;
    const range = { prefix, end: this.#keyOf(number) };
    const { entries } = await this.#kv.list(range, { limit: 500 });
    const operation = this.#kv.atomic();
    for (const { key } of entries) operation.delete(key);
    if (entries.length > 0) await operation.commit();
    return entries.length;
  }

  #keyOf(number: number): KvKey {
    return [...this.#options.prefix, number];
  }
}
