import { type Clock, systemClock } from "../scope.ts";
import { KvConnection, type KvSource } from "../sessions/mod.ts";
import type { AuditEntry, AuditStore } from "./audit_log.ts";

const DAY_MS = 86_400_000;

/** How often an entry is tried again because another process stored one of the same millisecond. */
const MAX_CONFLICTS = 100;

/** Longest id of a user that is looked up, in characters: a key of any length is an error of the database. */
const MAX_ID_LENGTH = 128;

/** How a {@linkcode KvAuditStore} keeps. */
export interface KvAuditStoreOptions {
  /** How long an entry is kept, in milliseconds. @default {2_592_000_000} (30 days) */
  readonly retentionMs?: number;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

/**
 * Keeps security events in Deno KV.
 *
 * `["audit", userId, at, number]` holds an entry; the user is empty if it is unknown, and the number
 * counts the entries of a user and a millisecond over all processes. `["audit_once", name]` is there
 * for each name of which one entry alone is kept.
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
   * The last addition for each user and millisecond. The next one waits for it, so that both keep
   * their order, and fails with it, so that a database that is away is waited for once.
   */
  readonly #adding = new Map<string, Promise<unknown>>();

  /** @param source The database, or what opens it: then it is opened at the first use. */
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
    // Expiry may be late: what is too old is not shown.
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
    throw new Error(`Cannot store a security event: ${MAX_CONFLICTS} others came first`);
  }
}

/** Returns the key behind all of the same user and millisecond. */
async function nextKey(kv: Deno.Kv, { userId = "", at }: AuditEntry): Promise<Deno.KvKey> {
  const prefix = ["audit", userId, at];
  const [last] = await Array.fromAsync(kv.list({ prefix }, { reverse: true, limit: 1 }));
  const number = last?.key[3];
  return [...prefix, typeof number === "number" ? number + 1 : 0];
}
