import { type Clock, systemClock } from "../../core/clock.ts";
import type { KeyValue, KvKey } from "../../kv/mod.ts";
import { retryConflicts } from "../../kv/atomic_operation.ts";
import type { AuditEntry } from "./audit_log.ts";

const DAY_MS = 86_400_000;

/** Most entries in one list. */
const MAX_LISTED = 1_000;

/** Longest user id that is looked up, in characters: the database rejects keys that are too long. */
const MAX_ID_LENGTH = 128;

/**
 * Stores security events in a database.
 *
 * `["audit", userId, at, number]` holds an entry. The user id is empty if unknown; the number
 * counts the entries of one user in one millisecond over all processes. `["audit_once", name]`
 * marks a name that was stored with `once`.
 */
export class KvAuditStore {
  readonly #kv: KeyValue;
  readonly #retentionMs: number;
  readonly #clock: Clock;
  /**
   * The latest write for each user and millisecond. The next one waits for it, which keeps their
   * order, and fails with it, so that only one write waits for an unreachable database.
   */
  readonly #adding = new Map<string, Promise<unknown>>();

  /**
   * Creates a store over a database.
   *
   * @param kv The database.
   */
  constructor(kv: KeyValue, options: {
    /** How long an entry is kept, in milliseconds. @default {2_592_000_000} (30 days) */
    readonly retentionMs?: number;
    /** Tells the time. @default {systemClock} */
    readonly clock?: Clock;
  } = {}) {
    this.#kv = kv;
    this.#retentionMs = options.retentionMs ?? 30 * DAY_MS;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Stores an entry and resolves to true. With `once`, only the first entry of that name is stored,
   * over all processes; resolves to false if there was one.
   *
   * Rejects if the database cannot be reached.
   */
  add(entry: AuditEntry, options: { once?: string | undefined } = {}): Promise<boolean> {
    const moment = `${entry.at} ${entry.userId}`;
    const before = this.#adding.get(moment) ?? Promise.resolve();
    const adding = before.then(() => this.#add(entry, options.once));
    this.#adding.set(moment, adding);
    const forget = () => {
      if (this.#adding.get(moment) === adding) this.#adding.delete(moment);
    };
    adding.then(forget, forget);
    return adding;
  }

  /**
   * Returns the entries of a user, newest first. @default limit {100}
   *
   * Entries are ordered by `at`. Those of the same millisecond are ordered by the calls of `add()`
   * within one process, and by the time of storage across processes.
   */
  async list(userId: string, options: { limit?: number } = {}): Promise<AuditEntry[]> {
    if (userId.length > MAX_ID_LENGTH) return [];
    const since = this.#clock.now() - this.#retentionMs;
    // Expired entries may be visible for a minute: skip those that are too old.
    const range = { prefix: ["audit", userId], start: ["audit", userId, since] };
    const limit = Math.min(options.limit ?? 100, MAX_LISTED);
    const { entries } = await this.#kv.list<AuditEntry>(range, { reverse: true, limit });
    return entries.map(({ value }) => value);
  }

  #add(entry: AuditEntry, once: string | undefined): Promise<boolean> {
    const expiry = { expireInMs: this.#retentionMs };
    return retryConflicts("store a security event", async () => {
      const key = await this.#nextKey(entry);
      const operation = this.#kv.atomic().check({ key, version: null }).set(key, entry, expiry);
      if (once !== undefined) {
        const name = await this.#kv.get(["audit_once", once]);
        if (name.version !== null) return { result: false };
        operation.check(name).set(name.key, null, expiry);
      }
      return { result: true, operation };
    });
  }

  /** Returns the next free key of an entry's user and millisecond. */
  async #nextKey({ userId = "", at }: AuditEntry): Promise<KvKey> {
    const prefix = ["audit", userId, at];
    const { entries: [last] } = await this.#kv.list({ prefix }, { reverse: true, limit: 1 });
    const number = last?.key[3];
    return [...prefix, typeof number === "number" ? number + 1 : 0];
  }
}
