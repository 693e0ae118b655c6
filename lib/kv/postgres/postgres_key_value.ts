import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import { type Clock, systemClock } from "../../core/clock.ts";
import type { KvMutation, KvWrite } from "../atomic_operation.ts";
import { BaseKeyValue } from "../base_key_value.ts";
import type { KvCommit, KvKey, KvPage, KvResult } from "../key_value.ts";
import { decodeKey, encodeKey, keyText } from "../format/key_codec.ts";
import { type ListRequest, pageOf } from "../list_request.ts";
import { PatientRunner } from "../patient_runner.ts";
import { encodeValue, entryOf, resultOf, versionOf } from "../format/portable_value.ts";
import { ReadBatcher } from "../read_batcher.ts";
import { PostgresNotifications } from "./postgres_notifications.ts";
import { ServerClock } from "./server_clock.ts";
import { codeOf, NotConnected, PostgresPool, type Row } from "./postgres_pool.ts";

/** Options of {@linkcode PostgresKeyValue}. */
export interface PostgresKeyValueOptions {
  /** Most connections of this process, besides one that hears notifications. @default {10} */
  readonly maxConnections?: number;
  /** Limit for one call, in milliseconds, connecting and retries included. @default {5_000} */
  readonly timeoutMs?: number;
  /** The clock of this machine. Expiry uses the clock of the server. @default {systemClock} */
  readonly clock?: Clock;
}

const IS_LIVE = "(expires_at IS NULL OR expires_at > clock_timestamp())";

const PAGE = `SELECT key, value, version FROM sluice_kv
  WHERE key >= $1 AND key < $2 AND ${IS_LIVE} ORDER BY key`;

const READ = {
  name: "sluice_kv_read",
  text: `SELECT key, value, version FROM sluice_kv WHERE key = ANY ($1::bytea[]) AND ${IS_LIVE}`,
};

const LIST = { name: "sluice_kv_list", text: `${PAGE} LIMIT $3` };

const LIST_REVERSE = { name: "sluice_kv_list_reverse", text: `${PAGE} DESC LIMIT $3` };

const COMMIT = {
  name: "sluice_kv_commit",
  text: `SELECT sluice_kv_commit($1::int[], $2::bytea[], $3::bigint[], $4::bytea[], $5::text[],
    $6::bigint[], $7::bytea[]) AS version`,
};

/**
 * Skips entries that a commit is writing, and does not wait for them. `clock_timestamp()` could not use
 * the index, because its value changes during a statement.
 */
const SWEEP = {
  name: "sluice_kv_sweep",
  text: `DELETE FROM sluice_kv WHERE key IN (SELECT key FROM sluice_kv
    WHERE expires_at <= statement_timestamp() LIMIT 500 FOR UPDATE SKIP LOCKED) RETURNING 1`,
};

/** How often expired entries are removed, in milliseconds, after a commit. */
const SWEEP_MS = 10_000;

/** Most keys of one read. */
const KEYS_PER_READ = 100;

/** How many locks the keys share. Few, because the server's memory for locks is limited. */
const LOCKS = 4_096;

/**
 * A database in PostgreSQL 13 or later, for processes of any number of machines.
 *
 * All entries are in one table, `sluice_kv`, which is created at the first use, in the first schema of
 * the `search_path`. A commit is one statement, and one `fsync` of the server: what it promises about
 * durability holds, also in a failover if replication is synchronous. Only a primary is used; the name
 * is resolved again after a failover. Expiry follows the clock of the server; give `clock` to stores
 * and sessions, so that other times follow it as well. `onChange` hears other
 * processes through `LISTEN`; behind PgBouncer it needs session pooling. Concurrent reads of single
 * keys share a statement.
 *
 * ```ts ignore
 * import { PostgresKeyValue } from "@sluice/sluice/kv/postgres";
 *
 * await using kv = new PostgresKeyValue("postgres://sluice@db.example.com/sluice");
 * await kv.set(["greeting"], "hello");
 * ```
 *
 * @example
 * ```ts
 * import { PostgresKeyValue } from "@sluice/sluice/kv/postgres";
 *
 * const kv = new PostgresKeyValue("postgres://sluice@127.0.0.1/sluice"); // connects at first use
 * await kv.close();
 * ```
 */
export class PostgresKeyValue extends BaseKeyValue {
  /**
   * The clock of the server, as this process estimates it: processes agree about times although the
   * clocks of their machines differ. It follows a correction of a clock within 15 s.
   */
  readonly clock: Clock;
  readonly #pool: PostgresPool;
  readonly #runner: PatientRunner;
  readonly #reads: ReadBatcher;
  readonly #notifications: PostgresNotifications;
  #sweepAt = 0;

  /**
   * Creates a database on a server, which connects at first use.
   *
   * @param url The address: `postgres://user:password@host:port/database?sslmode=verify-full`.
   */
  constructor(url: string, options: PostgresKeyValueOptions = {}) {
    super();
    const { maxConnections = 10, timeoutMs = 5_000 } = options;
    const clock = this.clock = new ServerClock(options.clock ?? systemClock);
    this.#pool = new PostgresPool({ url, maxConnections, timeoutMs, clock });
    this.#runner = new PatientRunner(hadNoEffect, options);
    const read = (keys: readonly KvKey[], sent: Promise<void>) => this.#readBatch(keys, sent);
    this.#reads = new ReadBatcher(read, KEYS_PER_READ, setImmediate);
    this.#notifications = new PostgresNotifications({
      pool: this.#pool,
      listeners: this.listeners,
      clock,
    });
  }

  /** Reads one key. */
  protected override readOne(key: KvKey): Promise<KvResult> {
    return this.#reads.get(key);
  }

  /** Reads several keys. */
  protected readMany(keys: readonly KvKey[], bytes: readonly Uint8Array[]): Promise<KvResult[]> {
    return this.#runner.run(async () => {
      const rows = await this.#read(READ, [bytes.map(toBuffer)]);
      const entries = new Map(rows.map((row) => [keyText(row.key), row]));
      return keys.map((key, index) => resultOf(key, entries.get(keyText(bytes[index]!))));
    });
  }

  /** @internal */
  protected readPage(request: ListRequest): Promise<KvPage> {
    const { from, to, limit, reverse } = request;
    return this.#runner.run(async () => {
      const statement = reverse ? LIST_REVERSE : LIST;
      const rows = await this.#read(statement, [toBuffer(from), toBuffer(to), limit]);
      return pageOf(rows.map((row) => entryOf(decodeKey(row.key), row)), request);
    });
  }

  /**
   * Returns the timeline and the start of the server: a failover and a restart change it. Behind
   * PgBouncer this needs session pooling.
   */
  home(): Promise<string | undefined> {
    this.assertOpen();
    return this.#runner.run(() => this.#pool.home());
  }

  /** Commits a write, if its checks hold. */
  protected async write(write: KvWrite): Promise<KvCommit> {
    const values = commitValues(write);
    const { signal, home } = write;
    const [row] = await this.#runner.run(() => this.#pool.query(COMMIT, values, home), signal);
    if (row?.version === null || row?.version === undefined) return { ok: false };
    this.listeners.call(write.topics);
    this.#notifications.send(write.topics);
    this.#sweepLater();
    return { ok: true, version: versionOf(row.version) };
  }

  /** Closes the connections. */
  protected async end(): Promise<void> {
    await this.#notifications.close();
    await this.#pool.end();
  }

  async #readBatch(keys: readonly KvKey[], sent: Promise<void>): Promise<KvResult[]> {
    await sent;
    return await this.readMany(keys, keys.map(encodeKey));
  }

  /** Reads once more if a connection broke, as all do when a server restarts. */
  async #read(statement: typeof READ, values: unknown[]): Promise<readonly Row[]> {
    try {
      return await this.#pool.query(statement, values);
    } catch (error) {
      if (error instanceof NotConnected || codeOf(error) !== undefined) throw error;
      return await this.#pool.query(statement, values);
    }
  }

  #sweepLater(): void {
    if (this.clock.elapsed() < this.#sweepAt) return;
    this.#sweepAt = this.clock.elapsed() + SWEEP_MS;
    void this.#sweep().catch(() => {}); // A later sweep removes what this one left.
  }

  async #sweep(): Promise<void> {
    while ((await this.#pool.query(SWEEP, [])).length === 500) this.assertOpen();
  }
}

function commitValues({ checks, mutations }: KvWrite): unknown[] {
  const sets = mutations.filter(({ value }) => value !== undefined);
  const deletes = mutations.filter(({ value }) => value === undefined);
  const bytes = ({ bytes }: { readonly bytes: Uint8Array }) => toBuffer(bytes);
  return [
    locksOf([...checks, ...mutations]),
    checks.map(bytes),
    checks.map(({ version }) => version),
    sets.map(bytes),
    sets.map(({ value }: KvMutation) => encodeValue(value)),
    sets.map(({ expireInMs }) => expireInMs ?? null),
    deletes.map(bytes),
  ];
}

/** Returns the numbers of the locks of some keys, in order: an FNV-1a hash of each key. */
function locksOf(keys: readonly { readonly bytes: Uint8Array }[]): number[] {
  const locks = keys.map(({ bytes }) => {
    let hash = 0x811c9dc5;
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
    return (hash >>> 0) % LOCKS;
  });
  return [...new Set(locks)].sort((a, b) => a - b);
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Returns whether a statement certainly had no effect and may succeed soon: conflicts (40), too few
 * resources such as connections or memory for locks (53), a starting server (57P03).
 */
function hadNoEffect(error: unknown): boolean {
  const code = codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined);
  if (code === "53100") return false; // The disk is full, which takes longer.
  return code !== undefined && /^(40|53|57P03)/.test(code);
}
