import type { SessionEvent } from "./session.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { type AtomicOperation, type KeyValue, type KvEntry, listAll } from "../kv/mod.ts";
import { retryConflicts } from "../kv/atomic_operation.ts";
import type { ControlledChange, KvControlLog } from "./revocation/kv_control_log.ts";
import type { SessionRecord } from "./session_record.ts";
import { byAge, type SessionStore } from "./session_store.ts";
import type { TagKey } from "./tokens/session_tokens.ts";

/** The time of the first key of tokens, and whether the store already had sessions. */
interface Beginning {
  readonly at: number;
  readonly hadSessions: boolean;
}

const BEGINNING_KEY = ["session_tags_began"];

/**
 * Stores sessions in a database, which several processes may share.
 *
 * `["sessions", id]` holds the session; `["sessions_by_user", userId, id]` is the user's list;
 * `["session_tag_keys", period]` is a key of tokens, `["session_tags_began"]` the time of the first. With
 * a control log, an announced event is written in the same atomic operation as the change. The
 * database's expiry only cleans up: it may be a minute late, so nothing here relies on it.
 */
export class KvSessionStore implements SessionStore {
  readonly controlLog: KvControlLog | undefined;
  readonly #kv: KeyValue;
  readonly #clock: Clock;

  /**
   * Creates a store over a database.
   *
   * @param kv The database, which the control log uses as well.
   */
  constructor(
    kv: KeyValue,
    options: { readonly clock?: Clock; readonly controlLog?: KvControlLog } = {},
  ) {
    this.controlLog = options.controlLog;
    this.#kv = kv;
    this.#clock = options.clock ?? systemClock;
  }

  async create(record: SessionRecord): Promise<void> {
    const operation = this.#kv.atomic().check({ key: sessionKey(record.id), version: null });
    const { ok } = await this.#set(operation, record).commit();
    if (!ok) throw new Error("Cannot create a session: its id is taken");
  }

  async get(id: string): Promise<SessionRecord | undefined> {
    return (await this.#kv.get<SessionRecord>(sessionKey(id))).value;
  }

  async getMany(ids: readonly string[]): Promise<(SessionRecord | undefined)[]> {
    const entries = await this.#kv.getMany<SessionRecord>(ids.map(sessionKey));
    return entries.map(({ value }) => value);
  }

  update(
    id: string,
    change: (record: SessionRecord) => SessionRecord | undefined,
    announce?: (record: SessionRecord) => SessionEvent,
  ): Promise<SessionRecord | undefined> {
    return this.#change(id, announce, (entry) => {
      const result = change(entry.value);
      if (result === undefined || result === entry.value) return { result };
      return { result, operation: this.#set(this.#kv.atomic().check(entry), result) };
    });
  }

  delete(
    id: string,
    announce?: (record: SessionRecord) => SessionEvent,
  ): Promise<SessionRecord | undefined> {
    return this.#change(id, announce, (entry) => {
      const operation = this.#kv.atomic().check(entry)
        .delete(entry.key)
        .delete(userKey(entry.value.userId, id));
      return { result: entry.value, operation };
    });
  }

  async list(userId: string): Promise<SessionRecord[]> {
    const listed = listAll(this.#kv, { prefix: ["sessions_by_user", userId] });
    const records = await this.getMany(await Array.fromAsync(listed, ({ key }) => String(key[2])));
    return records.filter((record) => record !== undefined).sort(byAge);
  }

  addTagKey({ period, secret }: TagKey, forgetAt: number): Promise<Uint8Array> {
    const expireInMs = Math.max(1, forgetAt - this.#clock.now());
    return retryConflicts("add a key", async () => {
      const entry = await this.#kv.get<Uint8Array>(["session_tag_keys", period]);
      if (entry.value !== undefined) return { result: entry.value };
      const began = await this.#kv.get<Beginning>(BEGINNING_KEY);
      const operation = this.#kv.atomic().check(entry, began)
        .set(entry.key, secret, { expireInMs });
      if (began.value === undefined) operation.set(began.key, await this.#beginning());
      return { result: secret, operation };
    });
  }

  async tagKeys(): ReturnType<SessionStore["tagKeys"]> {
    const began = (await this.#kv.get<Beginning>(BEGINNING_KEY)).value;
    const entries = listAll<Uint8Array>(this.#kv, { prefix: ["session_tag_keys"] });
    const keys = await Array.fromAsync(entries, ({ key, value }): TagKey => {
      return { period: Number(key[1]), secret: value };
    });
    return { keys, untaggedSince: began?.hadSessions ? began.at : undefined };
  }

  async #beginning(): Promise<Beginning> {
    const { entries } = await this.#kv.list({ prefix: ["sessions"] }, { limit: 1 });
    return { at: this.#clock.now(), hadSessions: entries.length > 0 };
  }

  #set(operation: AtomicOperation, record: SessionRecord): AtomicOperation {
    const expireInMs = Math.max(1, record.forgetAt - this.#clock.now());
    return operation
      .set(sessionKey(record.id), record, { expireInMs })
      .set(userKey(record.userId, record.id), null, { expireInMs });
  }

  #change(
    id: string,
    announce: ((record: SessionRecord) => SessionEvent) | undefined,
    plan: (entry: KvEntry<SessionRecord>) => SessionChange,
  ): Promise<SessionRecord | undefined> {
    const action = "change a session";
    const planned = async (): Promise<SessionChange> => {
      const entry = await this.#kv.get<SessionRecord>(sessionKey(id));
      return entry.version === null ? { result: undefined } : plan(entry);
    };
    if (announce === undefined || this.controlLog === undefined) {
      return retryConflicts(action, planned);
    }
    return this.controlLog.commit(action, async () => {
      const change = await planned();
      return change.result === undefined ? change : { ...change, event: announce(change.result) };
    });
  }
}

type SessionChange = ControlledChange<SessionRecord | undefined>;

function sessionKey(id: string): readonly string[] {
  return ["sessions", id];
}

function userKey(userId: string, id: string): readonly string[] {
  return ["sessions_by_user", userId, id];
}
