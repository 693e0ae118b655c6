import type { KvWrite } from "../atomic_operation.ts";
import type { KvCommit, KvKey, KvPage, KvResult } from "../key_value.ts";
import { decodeKey } from "../format/key_codec.ts";
import { type ListRequest, pageOf } from "../list_request.ts";
import { encodeValue, entryOf, resultOf, versionOf } from "../format/portable_value.ts";
import { openSqlite, type SqliteFile, type SqliteStatement } from "./open_sqlite.ts";

/** Most entries that one sweep removes. */
const SWEEP_SIZE = 500;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS sluice_kv (
    key BLOB PRIMARY KEY,
    value TEXT NOT NULL,
    version INTEGER NOT NULL,
    expires_at INTEGER
  );
  CREATE INDEX IF NOT EXISTS sluice_kv_expires_at
    ON sluice_kv (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE IF NOT EXISTS sluice_kv_writes (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
  );
  INSERT OR IGNORE INTO sluice_kv_writes VALUES (1, 0);
`;

const IS_LIVE = "(expires_at IS NULL OR expires_at > ?)";

/** The table of entries in an open file. All methods are synchronous. */
export class SqliteTable {
  readonly #db: SqliteFile;
  readonly #get: SqliteStatement;
  readonly #list: SqliteStatement;
  readonly #listReverse: SqliteStatement;
  readonly #set: SqliteStatement;
  readonly #delete: SqliteStatement;
  readonly #lastWrite: SqliteStatement;
  readonly #countWrites: SqliteStatement;
  readonly #sweep: SqliteStatement;
  readonly #dataVersion: SqliteStatement;
  #seenVersion: unknown;

  private constructor(db: SqliteFile) {
    const page = `SELECT key, value, version FROM sluice_kv
      WHERE key >= ? AND key < ? AND ${IS_LIVE} ORDER BY key`;
    this.#db = db;
    this.#get = db.prepare(`SELECT value, version FROM sluice_kv WHERE key = ? AND ${IS_LIVE}`);
    this.#list = db.prepare(`${page} LIMIT ?`);
    this.#listReverse = db.prepare(`${page} DESC LIMIT ?`);
    this.#set = db.prepare("INSERT OR REPLACE INTO sluice_kv VALUES (?, ?, ?, ?)");
    this.#delete = db.prepare("DELETE FROM sluice_kv WHERE key = ?");
    this.#lastWrite = db.prepare("SELECT version FROM sluice_kv_writes");
    this.#countWrites = db.prepare("UPDATE sluice_kv_writes SET version = ?");
    this.#sweep = db.prepare(`DELETE FROM sluice_kv WHERE key IN
      (SELECT key FROM sluice_kv WHERE expires_at <= ? LIMIT ${SWEEP_SIZE})`);
    this.#dataVersion = db.prepare("PRAGMA data_version");
    this.#seenVersion = this.#readDataVersion();
  }

  /** Opens a file, and creates the tables if they are missing. */
  static async open(path: string): Promise<SqliteTable> {
    const db = await openSqlite(path);
    try {
      db.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
      const known = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sluice_kv_writes'").get();
      if (known === undefined) db.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
      return new SqliteTable(db);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** Reads keys at one moment. */
  readMany(keys: readonly KvKey[], bytes: readonly Uint8Array[], now: number): KvResult[] {
    const read = () => keys.map((key, index) => resultOf(key, this.#get.get(bytes[index]!, now)));
    return keys.length === 1 ? read() : this.#transaction("BEGIN", read);
  }

  /** Reads a page. */
  readPage(request: ListRequest, now: number): KvPage {
    const { from, to, limit, reverse } = request;
    const statement = reverse ? this.#listReverse : this.#list;
    const rows = statement.all(from, to, now, limit);
    return pageOf(rows.map((row) => entryOf(decodeKey(row.key), row)), request);
  }

  /** Commits operations in order, in one transaction: those whose checks hold. */
  commitAll(writes: readonly KvWrite[], now: number): KvCommit[] {
    return this.#transaction("BEGIN IMMEDIATE", () => {
      const first = Number(this.#lastWrite.get()!.version);
      let last = first;
      const results = writes.map((write): KvCommit => {
        if (!this.#holds(write, now)) return { ok: false };
        this.#apply(write, ++last, now);
        return { ok: true, version: versionOf(last) };
      });
      if (last > first) this.#countWrites.run(last);
      return results;
    });
  }

  /** Removes up to 500 expired entries, and returns whether there were no more. */
  sweep(now: number): boolean {
    return Number(this.#sweep.run(now).changes) < SWEEP_SIZE;
  }

  /** Returns whether another connection has committed since the last call. */
  hasForeignCommits(): boolean {
    const version = this.#readDataVersion();
    const hasChanged = version !== this.#seenVersion;
    this.#seenVersion = version;
    return hasChanged;
  }

  /** Closes the file. */
  close(): void {
    this.#db.close();
  }

  #holds({ checks }: KvWrite, now: number): boolean {
    return checks.every(({ bytes, version }) => {
      const row = this.#get.get(bytes, now);
      return (row === undefined ? null : versionOf(row.version)) === version;
    });
  }

  #apply({ mutations }: KvWrite, version: number, now: number): void {
    for (const { bytes, value, expireInMs } of mutations) {
      if (value === undefined) this.#delete.run(bytes);
      else {
        const expiresAt = expireInMs === undefined ? null : Math.ceil(now + expireInMs);
        this.#set.run(bytes, encodeValue(value), version, expiresAt);
      }
    }
  }

  #readDataVersion(): unknown {
    return this.#dataVersion.get()?.["data_version"];
  }

  #transaction<T>(begin: string, work: () => T): T {
    this.#db.exec(begin);
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      try {
        this.#db.exec("ROLLBACK");
      } catch {
        // SQLite has rolled back by itself, as it does when the disk is full.
      }
      throw error;
    }
  }
}
