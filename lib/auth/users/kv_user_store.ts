import { type Clock, systemClock } from "../../core/clock.ts";
import type { AtomicOperation, KeyValue, KvKey } from "../../kv/mod.ts";
import { listAll } from "../../kv/mod.ts";
import { type PlannedChange, retryConflicts } from "../../kv/atomic_operation.ts";
import type { SessionEvent } from "../../sessions/mod.ts";
import { isId } from "../../sessions/tokens/secrets.ts";
import type { KvControlLog } from "../../sessions/revocation/kv_control_log.ts";
import { checkIdentity } from "../_identity.ts";
import { applyProfile, type ProviderProfile, type User } from "./user.ts";
import { pageOfUsers } from "./user_page.ts";
import type { UserStore } from "./user_store.ts";

/**
 * Stores users in a database.
 *
 * `["users", id]` holds the user, `["users_by_identity", provider, subject]` their id. With a control
 * log, every process that shares the database learns of a change or a removal within a second; the
 * log entry is part of the same atomic operation.
 *
 * @example
 * ```ts
 * import { KvUserStore } from "@sluice/sluice/auth";
 * import { MemoryKeyValue } from "@sluice/sluice/kv";
 * import assert from "node:assert/strict";
 *
 * await using kv = new MemoryKeyValue();
 * assert.equal(await new KvUserStore(kv).get("unknown"), undefined);
 * ```
 */
export class KvUserStore implements UserStore {
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

  async save(profile: ProviderProfile): Promise<User> {
    checkIdentity(profile);
    return await this.#commit("save a user", () => this.#planSave(profile));
  }

  async get(id: string): Promise<User | undefined> {
    if (!isId(id)) return undefined; // The key could be too long.
    return (await this.#kv.get<User>(userKey(id))).value;
  }

  async update(id: string, change: (user: User) => User): Promise<User | undefined> {
    if (!isId(id)) return undefined;
    return await this.#commit("change a user", async () => {
      const entry = await this.#kv.get<User>(userKey(id));
      if (entry.value === undefined) return { result: undefined };
      const user = change(entry.value);
      const event = user.bannedAt === undefined
        ? { type: "user-changed", userId: id } as const
        : { type: "user-ended", userId: id, reason: "user-banned", at: user.bannedAt } as const;
      // The identity is written as well, so that checking its version covers both keys.
      const identity = await this.#kv.get<string>(identityKey(user));
      const operation = this.#kv.atomic().check(entry, identity)
        .set(entry.key, user)
        .set(identity.key, id);
      return { result: user, operation, event };
    });
  }

  async list(
    options: Parameters<UserStore["list"]>[0] = {},
  ): ReturnType<UserStore["list"]> {
    const prefix = ["users"];
    const { after } = options;
    // The first key after that of `after`.
    const range = after === undefined ? { prefix } : { prefix, start: userKey(`${after}\0`) };
    return await pageOfUsers(valuesOf(listAll<User>(this.#kv, range)), options);
  }

  async remove(id: string): Promise<boolean> {
    if (!isId(id)) return false;
    return await this.#commit("remove a user", async () => {
      const entry = await this.#kv.get<User>(userKey(id));
      if (entry.value === undefined) return { result: false };
      const operation = this.#kv.atomic().check(entry)
        .delete(entry.key)
        .delete(identityKey(entry.value));
      const at = this.#clock.now();
      const event = { type: "user-ended", userId: id, reason: "user-removed", at } as const;
      return { result: true, operation, event };
    });
  }

  async #planSave(profile: ProviderProfile): Promise<UserChange<User>> {
    const now = this.#clock.now();
    const identity = await this.#kv.get<string>(identityKey(profile));
    // Every change of a user also writes the identity, so checking its version covers both keys.
    const known = identity.value === undefined ? undefined : await this.get(identity.value);
    const user = applyProfile(known, profile, now);
    const operation = this.#kv.atomic().check(identity)
      .set(identity.key, user.id)
      .set(userKey(user.id), user);
    if (known === undefined || looksSame(known, user)) return { result: user, operation };
    return { result: user, operation, event: { type: "user-changed", userId: user.id } };
  }

  /** Commits a planned change together with its event. */
  #commit<T>(action: string, plan: () => Promise<UserChange<T>>): Promise<T> {
    const { controlLog } = this;
    return retryConflicts(action, async () => {
      const planned = await plan();
      const isAnnounced = planned.event !== undefined && controlLog !== undefined;
      return isAnnounced ? { result: await controlLog.commit(action, plan) } : planned;
    });
  }
}

interface UserChange<T> extends PlannedChange<T> {
  readonly operation?: AtomicOperation;
  readonly event?: SessionEvent;
}

async function* valuesOf<T>(entries: AsyncIterable<{ readonly value: T }>): AsyncGenerator<T> {
  for await (const { value } of entries) yield value;
}

function looksSame(a: User, b: User): boolean {
  return a.login === b.login && a.name === b.name && a.avatarUrl === b.avatarUrl;
}

function userKey(id: string): KvKey {
  return ["users", id];
}

function identityKey({ provider, subject }: Pick<User, "provider" | "subject">): KvKey {
  return ["users_by_identity", provider, subject];
}
