import { type Clock, systemClock } from "../scope.ts";
import { KvConnection, type KvSource, randomId } from "../sessions/mod.ts";
import type { AuditEntry, AuditStore } from "./audit_log.ts";

const DAY_MS = 86_400_000;

/** How a {@linkcode KvAuditStore} keeps. */
export interface KvAuditStoreOptions {
  /** How long an entry is kept, in milliseconds. @default {2_592_000_000} (30 days) */
  readonly retentionMs?: number;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

/**
 * Keeps security events in Deno KV: `["audit", userId, at, id]`, where the user is empty for events of
 * nobody in particular; `["audit_once", name]`, where one entry alone is to be kept of a name.
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

  /** @param source The database, or what opens it: then it is opened at the first use. */
  constructor(source: KvSource, options: KvAuditStoreOptions = {}) {
    this.#kv = new KvConnection(source);
    this.#retentionMs = options.retentionMs ?? 30 * DAY_MS;
    this.#clock = options.clock ?? systemClock;
  }

  async add(entry: AuditEntry, options: { once?: string | undefined } = {}): Promise<boolean> {
    const { once } = options;
    const key = ["audit", entry.userId ?? "", entry.at, randomId()];
    const expiry = { expireIn: this.#retentionMs };
    const { ok } = await this.#kv.run((kv) => {
      const operation = kv.atomic().set(key, entry, expiry);
      if (once === undefined) return operation.commit();
      const name = ["audit_once", once];
      return operation.check({ key: name, versionstamp: null }).set(name, null, expiry).commit();
    });
    return ok;
  }

  list(userId: string, options: { limit?: number } = {}): Promise<AuditEntry[]> {
    const since = this.#clock.now() - this.#retentionMs;
    // Expiry may be late: what is too old is not shown.
    const selector = { prefix: ["audit", userId], start: ["audit", userId, since] };
    return this.#kv.run(async (kv) => {
      const { limit = 100 } = options;
      const entries = await Array.fromAsync(
        kv.list<AuditEntry>(selector, { reverse: true, limit }),
      );
      return entries.map(({ value }) => value);
    });
  }
}
