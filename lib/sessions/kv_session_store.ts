import { type Clock, systemClock } from "../core/clock.ts";
import { KvConnection, type KvSource } from "../kv/kv_connection.ts";
import type { ControlledChange, KvControlLog } from "./revocation/kv_control_log.ts";
import { KvReads } from "../kv/kv_reads.ts";
import type { SessionRecord } from "./session_record.ts";
import { type Announce, byAge, type SessionStore } from "./session_store.ts";
import { KvTagKeys } from "./tokens/kv_tag_keys.ts";
import type { StoredTagKeys, TagKey } from "./tokens/tag_keys.ts";

/** KV Connect's limit of keys in one `getMany`. */
const KEYS_PER_READ = 10;

/** Most attempts of a change that conflicts with others. */
const MAX_CONFLICTS = 20;

/**
 * Stores sessions in Deno KV: the embedded file, or a database that several processes share.
 *
 * `["sessions", id]` holds the session; `["sessions_by_user", userId, id]` is the user's list. With
 * a control log, an announced event is written in the same atomic operation as the change. Each
 * atomic operation has at most two checks. KV's own `expireIn` only cleans up: it may be a minute
 * late, so nothing here relies on it. Concurrent reads of sessions and users share a batch.
 *
 * @example
 * ```ts
 * import { KvSessionStore } from "@sluice/sluice/sessions";
 * import assert from "node:assert/strict";
 *
 * using kv = await Deno.openKv(":memory:");
 * assert.equal(await new KvSessionStore(kv).get("unknown"), undefined);
 * ```
 */
export class KvSessionStore implements SessionStore {
  readonly controlLog: KvControlLog | undefined;
  readonly #kv: KvConnection;
  readonly #reads: KvReads;
  readonly #clock: Clock;
  readonly #tagKeys: KvTagKeys;

  /** @param source The database, or a function that opens it at first use. */
  constructor(source: KvSource, options: { clock?: Clock; controlLog?: KvControlLog } = {}) {
    this.controlLog = options.controlLog;
    this.#kv = new KvConnection(source);
    this.#reads = KvReads.of(source);
    this.#clock = options.clock ?? systemClock;
    this.#tagKeys = new KvTagKeys(this.#kv, this.#clock);
  }

  async create(record: SessionRecord): Promise<void> {
    const key = sessionKey(record.id);
    const result = await this.#kv.run((kv) =>
      this.#set(kv.atomic().check({ key, versionstamp: null }), record).commit()
    );
    if (!result.ok) throw new Error("Cannot create a session: its id is taken");
  }

  get(id: string): Promise<SessionRecord | undefined> {
    return this.#reads.get<SessionRecord>(sessionKey(id));
  }

  getMany(ids: readonly string[]): Promise<(SessionRecord | undefined)[]> {
    return this.#kv.run((kv) => readMany(kv, ids));
  }

  update(
    id: string,
    change: (record: SessionRecord) => SessionRecord | undefined,
    announce?: Announce,
  ): Promise<SessionRecord | undefined> {
    return this.#change(id, announce, (kv, entry) => {
      const changed = change(entry.value);
      if (changed === undefined) return undefined;
      if (changed === entry.value) return { result: changed };
      return { result: changed, write: this.#set(kv.atomic().check(entry), changed) };
    });
  }

  delete(id: string, announce?: Announce): Promise<SessionRecord | undefined> {
    return this.#change(id, announce, (kv, entry) => ({
      result: entry.value,
      write: kv.atomic().check(entry)
        .delete(entry.key)
        .delete(userKey(entry.value.userId, id)),
    }));
  }

  list(userId: string): Promise<SessionRecord[]> {
    return this.#kv.run(async (kv) => {
      const records = await readMany(kv, await idsOf(kv, userId));
      return records.filter((record) => record !== undefined).sort(byAge);
    });
  }

  addTagKey(key: TagKey, forgetAt: number): Promise<Uint8Array> {
    return this.#tagKeys.add(key, forgetAt);
  }

  tagKeys(): Promise<StoredTagKeys> {
    return this.#tagKeys.list();
  }

  #set(operation: Deno.AtomicOperation, record: SessionRecord): Deno.AtomicOperation {
    const expireIn = Math.max(1, Math.ceil(record.forgetAt - this.#clock.now()));
    return operation
      .set(sessionKey(record.id), record, { expireIn })
      .set(userKey(record.userId, record.id), null, { expireIn });
  }

  #change(
    id: string,
    announce: Announce | undefined,
    plan: (kv: Deno.Kv, entry: Deno.KvEntry<SessionRecord>) => Plan | undefined,
  ): Promise<SessionRecord | undefined> {
    const controlLog = this.controlLog;
    return this.#kv.run(async (kv) => {
      if (announce === undefined || controlLog === undefined) {
        return await this.#whenUnchanged(kv, id, (entry) => plan(kv, entry));
      }
      let result: SessionRecord | undefined;
      await controlLog.commit(kv, async (): Promise<ControlledChange | undefined> => {
        const entry = await kv.get<SessionRecord>(sessionKey(id));
        const planned = entry.versionstamp === null ? undefined : plan(kv, entry);
        result = planned?.result;
        if (!planned?.write) return undefined;
        return { operation: planned.write, events: [announce(planned.result)] };
      });
      return result;
    });
  }

  async #whenUnchanged(
    kv: Deno.Kv,
    id: string,
    plan: (entry: Deno.KvEntry<SessionRecord>) => Plan | undefined,
  ): Promise<SessionRecord | undefined> {
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
      const entry = await kv.get<SessionRecord>(sessionKey(id));
      const planned = entry.versionstamp === null ? undefined : plan(entry);
      if (!planned?.write) return planned?.result;
      if ((await planned.write.commit()).ok) return planned.result;
    }
    throw new Error(
      `Cannot change a session: ${MAX_CONFLICTS} attempts conflicted with other writes`,
    );
  }
}

interface Plan {
  readonly result: SessionRecord;
  readonly write?: Deno.AtomicOperation;
}

function sessionKey(id: string): Deno.KvKey {
  return ["sessions", id];
}

function userKey(userId: string, id: string): Deno.KvKey {
  return ["sessions_by_user", userId, id];
}

async function readMany(
  kv: Deno.Kv,
  ids: readonly string[],
): Promise<(SessionRecord | undefined)[]> {
  const records: (SessionRecord | undefined)[] = [];
  for (let at = 0; at < ids.length; at += KEYS_PER_READ) {
    const keys = ids.slice(at, at + KEYS_PER_READ).map(sessionKey);
    for (const entry of await kv.getMany<SessionRecord[]>(keys)) {
      records.push(entry.value ?? undefined);
    }
  }
  return records;
}

async function idsOf(kv: Deno.Kv, userId: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const entry of kv.list({ prefix: ["sessions_by_user", userId] })) {
    ids.push(String(entry.key[2]));
  }
  return ids;
}
