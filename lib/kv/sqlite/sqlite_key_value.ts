import { setImmediate } from "node:timers/promises";
import { type Clock, systemClock } from "../../core/clock.ts";
import type { KvWrite } from "../atomic_operation.ts";
import { BaseKeyValue } from "../base_key_value.ts";
import type { KvCommit, KvKey, KvPage, KvResult } from "../key_value.ts";
import { closedError, KeyValueError } from "../key_value_error.ts";
import type { ListRequest } from "../list_request.ts";
import { isLocked, PatientRunner } from "../patient_runner.ts";
import { SqliteTable } from "./sqlite_table.ts";

/** Options of {@linkcode SqliteKeyValue}. */
export interface SqliteKeyValueOptions {
  /** Limit for one call, in milliseconds, retries included. @default {5_000} */
  readonly timeoutMs?: number;
  /**
   * How often commits of other processes are looked for while `onChange` has listeners, in
   * milliseconds. Looking takes microseconds and reads no data. @default {25}
   */
  readonly pollMs?: number;
  /** Called before the file is opened, for example to create its folder. */
  readonly prepare?: () => Promise<void>;
  /** Measures time limits and expiry. @default {systemClock} */
  readonly clock?: Clock;
}

/** Most operations in one transaction. */
const BATCH_SIZE = 200;

/** How often expired entries are removed, in milliseconds. */
const SWEEP_MS = 10_000;

interface Pending {
  readonly write: KvWrite;
  resolve(result: KvCommit): void;
  reject(error: unknown): void;
}

/**
 * A database in an SQLite file, for processes of one machine. It uses `node:sqlite`, or `bun:sqlite`
 * on Bun.
 *
 * The file is in WAL mode: reads do not wait for writes. Commits that are made at the same time share
 * one transaction and one `fsync`; when they are acknowledged, they survive a crash of the process,
 * of the system, and a loss of power. While another process writes, a commit is retried. SQLite runs
 * in the thread of the caller. `onChange` hears other processes within 25 ms.
 *
 * @example
 * ```ts
 * import { SqliteKeyValue } from "@sluice/sluice/kv/sqlite";
 * import assert from "node:assert/strict";
 *
 * await using kv = new SqliteKeyValue(":memory:");
 * await kv.set(["greeting"], "hello");
 * assert.equal((await kv.get(["greeting"])).value, "hello");
 * ```
 */
export class SqliteKeyValue extends BaseKeyValue {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #pollMs: number;
  readonly #prepare: () => Promise<void>;
  readonly #runner: PatientRunner;
  #opening: Promise<SqliteTable> | undefined;
  #pending: Pending[] = [];
  #writing: Promise<void> | undefined;
  #sweepAt = 0;
  #cancelPoll: (() => void) | undefined;
  #isEnded = false;

  /**
   * Creates a database over a file, which opens at first use.
   *
   * @param path The file, which is created at the first use, or `:memory:`.
   */
  constructor(path: string, options: SqliteKeyValueOptions = {}) {
    super();
    this.#path = path;
    this.#clock = options.clock ?? systemClock;
    this.#pollMs = options.pollMs ?? 25;
    this.#prepare = options.prepare ?? (() => Promise.resolve());
    this.#runner = new PatientRunner(isLocked, options);
    this.listeners.onTopic = () => this.#pollLater();
  }

  /** Reads several keys. */
  protected readMany(
    keys: readonly KvKey[],
    bytes: readonly Uint8Array[],
  ): Promise<KvResult[]> {
    return this.#run((table) => table.readMany(keys, bytes, this.#clock.now()));
  }

  /**
   * Reads one page at one moment.
   *
   * @internal
   */
  protected readPage(request: ListRequest): Promise<KvPage> {
    return this.#run((table) => table.readPage(request, this.#clock.now()));
  }

  /** Commits a write, if its checks hold. */
  protected write(write: KvWrite): Promise<KvCommit> {
    const { promise, resolve, reject } = Promise.withResolvers<KvCommit>();
    this.#pending.push({ write, resolve, reject });
    this.#writing ??= this.#writeAll();
    return promise;
  }

  /** Closes the file. */
  protected async end(): Promise<void> {
    await this.#writing;
    this.#isEnded = true;
    this.#cancelPoll?.();
    const table = await this.#opening?.catch(() => undefined);
    table?.close();
  }

  /** Never rejects. */
  async #writeAll(): Promise<void> {
    await setImmediate(); // Collects the commits of this turn.
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0, BATCH_SIZE);
      try {
        await this.#run((table) => this.#commit(table, batch));
        await this.#sweep();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#writing = undefined;
  }

  #commit(table: SqliteTable, batch: readonly Pending[]): void {
    const wanted = batch.filter(({ write }) => !write.signal?.aborted);
    const results = table.commitAll(wanted.map(({ write }) => write), this.#clock.now());
    for (const [index, result] of results.entries()) {
      if (result.ok) this.listeners.call(wanted[index]!.write.topics);
      wanted[index]!.resolve(result);
    }
    const givenUp = new KeyValueError("UNAVAILABLE", "The commit was given up");
    for (const { reject } of batch) reject(givenUp); // No effect on those that were committed.
  }

  /** Removes some expired entries. If that fails, a later sweep does it. */
  async #sweep(): Promise<void> {
    if (this.#clock.elapsed() < this.#sweepAt) return;
    const isDone = await this.#run((table) => table.sweep(this.#clock.now())).catch(() => true);
    this.#sweepAt = isDone ? this.#clock.elapsed() + SWEEP_MS : 0;
  }

  #pollLater(): void {
    if (this.#isEnded || this.#cancelPoll !== undefined || this.#path === ":memory:") return;
    if (this.listeners.topics.length === 0) return;
    this.#cancelPoll = this.#clock.after(this.#pollMs, () => {
      const poll = this.#run((table) => table.hasForeignCommits());
      void poll.then((hasCommits) => hasCommits && this.listeners.call(), () => {}).finally(() => {
        this.#cancelPoll = undefined;
        this.#pollLater();
      }).catch(() => {});
    });
  }

  #run<T>(use: (table: SqliteTable) => T): Promise<T> {
    return this.#runner.run(async () => {
      const table = await this.#open();
      if (this.#isEnded) throw closedError();
      return use(table);
    });
  }

  async #open(): Promise<SqliteTable> {
    const opening = this.#opening ??= this.#prepare().then(() => SqliteTable.open(this.#path));
    try {
      return await opening;
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    }
  }
}
