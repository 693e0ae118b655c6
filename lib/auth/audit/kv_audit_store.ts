import { type Clock, systemClock } from "../../core/clock.ts";
import { KvConnection, type KvSource } from "../../sessions/mod.ts";
import type { AuditEntry, AuditStore } from "./audit_log.ts";

const DAY_MS = 86_400_000;

/** Most attempts to store an entry while other processes store entries of the same millisecond. */
const MAX_CONFLICTS = 100;

/** Longest user id that is looked up, in characters: the database rejects keys that are too long. */
const MAX_ID_LENGTH = 128;

/** Options of {@linkcode KvAuditStore}. */
export interface KvAuditStoreOptions {
  /** How long an entry is kept, in milliseconds. @default {2_592_000_000} (30 days) */
  readonly retentionMs?: number;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

/**
 * Stores security events in Deno KV.
 *
 * `["audit", userId, at, number]` holds an entry. The user id is empty if unknown; the number
 * counts the entries of one user in one millisecond over all processes. `["audit_once", name]`
 * marks a name that was stored with `once`.
 *
 * @example
 * ```ts
 * import { KvAuditStore } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * using kv = await Deno.openKv(":memory:");
 * const store = new KvAuditStore(kv);
 * await store.add({ kind: "signed-in", userId: "u1", at: Date.now() });
 * assert.equal((await store.list("u1")).length, 1);
 * ```
 */
export class KvAuditStore implements AuditStore {
  readonly #kv: KvConnection;
  readonly #retentionMs: number;
  readonly #clock: Clock;
  /**
   * The latest write for each user and millisecond. The next one waits for it, which keeps their
   * order, and fails with it, so that only one write waits for an unreachable database.
   */
  readonly #adding = new Map<string, Promise<unknown>>();

  /** @param source The database, or a function that opens it at first use. */
  constructor(source: KvSource, options: KvAuditStoreOptions = {}) {
    this.#kv = new KvConnection(source);
    this.#retentionMs = options.retentionMs ?? 30 * DAY_MS;
    this.#clock = options.clock ?? systemClock;
  }

  add(entry: AuditEntry, options: { once?: string | undefined } = {}): Promise<boolean> {
    const moment = `${entry.at} ${entry.userId}`;
    const before = this.#adding.get(moment) ?? Promise.resolve();
    const adding = before.then(() => this.#kv.run((kv) => this.#add(kv, entry, options.once)));
    this.#adding.set(moment, adding);
    const forget = () => {
      if (this.#adding.get(moment) === adding) this.#adding.delete(moment);
    };
    adding.then(forget, forget);
    return adding;
  }

  async list(userId: string, options: { limit?: number } = {}): Promise<AuditEntry[]> {
    if (userId.length > MAX_ID_LENGTH) return [];
    const since = this.#clock.now() - this.#retentionMs;
    // KV's expiry may be late: skip entries that are too old.
    const selector = { prefix: ["audit", userId], start: ["audit", userId, since] };
    return await this.#kv.run(async (kv) => {
      const { limit = 100 } = options;
      const entries = await Array.fromAsync(
        kv.list<AuditEntry>(selector, { reverse: true, limit }),
      );
      return entries.map(({ value }) => value);
    });
  }

  async #add(kv: Deno.Kv, entry: AuditEntry, once: string | undefined): Promise<boolean> {
    const expiry = { expireIn: this.#retentionMs };
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
      const key = await nextKey(kv, entry);
      const write = kv.atomic().check({ key, versionstamp: null }).set(key, entry, expiry);
      if (once !== undefined) {
        const name = await kv.get(["audit_once", once]);
        if (name.versionstamp !== null) return false;
        write.check(name).set(name.key, null, expiry);
      }
      if ((await write.commit()).ok) return true;
    }
    throw new Error(
      `Cannot store a security event: ${MAX_CONFLICTS} attempts conflicted with other writes`,
    );
  }
}

/** Returns the next free key of an entry's user and millisecond. */
async function nextKey(kv: Deno.Kv, { userId = "", at }: AuditEntry): Promise<Deno.KvKey> {
  const prefix = ["audit", userId, at];
  const [last] = await Array.fromAsync(kv.list({ prefix }, { reverse: true, limit: 1 }));
  const number = last?.key[3];
  return [...prefix, typeof number === "number" ? number + 1 : 0];
}
