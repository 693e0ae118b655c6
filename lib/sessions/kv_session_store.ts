import { type Clock, systemClock } from "../scope.ts";
import { KvConnection, type KvSource } from "./kv_connection.ts";
import { byAge, type SessionRecord, type SessionStore } from "./session_store.ts";

/** KV Connect's limit of keys in one `getMany`. */
const KEYS_PER_READ = 10;

/** How often a change is tried again because another one came first. */
const MAX_CONFLICTS = 20;

/**
 * Keeps sessions in Deno KV: the embedded file, or a database that several processes share.
 *
 * `["sessions", id]` holds the session; `["sessions_by_user", userId, id]` is the user's list. An
 * atomic operation has one check. KV's own `expireIn` only cleans up: it may be a minute late, so
 * that nothing here relies on it.
 *
 * @example
 * ```ts
 * import { KvSessionStore } from "@sluice/sluice/sessions";
 * import assert from "node:assert/strict";
 *
 * using kv = await Deno.openKv(":memory:");
 * assert.equal(await new KvSessionStore(kv).get("nobody"), undefined);
 * ```
 */
export class KvSessionStore implements SessionStore {
  readonly #kv: KvConnection;
  readonly #clock: Clock;

  /** @param source The database, or what opens it: then it is opened at the first use. */
  constructor(source: KvSource, options: { clock?: Clock } = {}) {
    this.#kv = new KvConnection(source);
    this.#clock = options.clock ?? systemClock;
  }

  async create(record: SessionRecord): Promise<void> {
    const key = sessionKey(record.id);
    const result = await this.#kv.run((kv) =>
      this.#set(kv.atomic().check({ key, versionstamp: null }), record).commit()
    );
    if (!result.ok) throw new Error("Cannot create a session: its id is taken");
  }

  get(id: string): Promise<SessionRecord | undefined> {
    return this.#kv.run(async (kv) => {
      return (await kv.get<SessionRecord>(sessionKey(id))).value ?? undefined;
    });
  }

  update(
    id: string,
    change: (record: SessionRecord) => SessionRecord | undefined,
  ): Promise<SessionRecord | undefined> {
    return this.#kv.run((kv) =>
      this.#whenUnchanged(kv, id, (entry) => {
        const changed = change(entry.value);
        if (changed === undefined) return undefined;
        if (changed === entry.value) return { result: changed };
        return { result: changed, write: this.#set(kv.atomic().check(entry), changed) };
      })
    );
  }

  delete(id: string): Promise<SessionRecord | undefined> {
    return this.#kv.run((kv) =>
      this.#whenUnchanged(kv, id, (entry) => ({
        result: entry.value,
        write: kv.atomic().check(entry)
          .delete(entry.key)
          .delete(userKey(entry.value.userId, id)),
      }))
    );
  }

  list(userId: string): Promise<SessionRecord[]> {
    return this.#kv.run(async (kv) => {
      const ids = await idsOf(kv, userId);
      const records: SessionRecord[] = [];
      for (let at = 0; at < ids.length; at += KEYS_PER_READ) {
        const keys = ids.slice(at, at + KEYS_PER_READ).map(sessionKey);
        for (const entry of await kv.getMany<SessionRecord[]>(keys)) {
          if (entry.value) records.push(entry.value);
        }
      }
      return records.sort(byAge);
    });
  }

  async deleteByUser(userId: string, options: { except?: string } = {}): Promise<SessionRecord[]> {
    const deleted: SessionRecord[] = [];
    for (const id of await this.#kv.run((kv) => idsOf(kv, userId))) {
      const record = id === options.except ? undefined : await this.delete(id);
      if (record) deleted.push(record);
    }
    return deleted;
  }

  #set(operation: Deno.AtomicOperation, record: SessionRecord): Deno.AtomicOperation {
    const expireIn = Math.max(1, Math.ceil(record.forgetAt - this.#clock.now()));
    return operation
      .set(sessionKey(record.id), record, { expireIn })
      .set(userKey(record.userId, record.id), null, { expireIn });
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
    throw new Error(`Cannot change a session: ${MAX_CONFLICTS} other changes came first`);
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

async function idsOf(kv: Deno.Kv, userId: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const entry of kv.list({ prefix: ["sessions_by_user", userId] })) {
    ids.push(String(entry.key[2]));
  }
  return ids;
}
