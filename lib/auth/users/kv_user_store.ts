import { type Clock, systemClock } from "../../core/clock.ts";
import {
  isId,
  KvConnection,
  type KvControlLog,
  KvReads,
  type KvSource,
  type SessionEvent,
} from "../../sessions/mod.ts";
import { checkIdentity } from "../_identity.ts";
import { createUser, type ProviderProfile, refreshUser, type User } from "./user.ts";
import { pageOfUsers, type UserPage, type UserPageOptions } from "./user_page.ts";
import type { UserStore } from "./user_store.ts";

/** Most attempts of a change that conflicts with others. */
const MAX_CONFLICTS = 20;

/**
 * Stores users in Deno KV.
 *
 * `["users", id]` holds the user, `["users_by_identity", provider, subject]` their id. Each atomic
 * operation has at most two checks. With a control log, every process that shares the database
 * learns of a change or a removal within a second; the log entry is part of the same atomic
 * operation.
 *
 * @example
 * ```ts
 * import { KvUserStore } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * using kv = await Deno.openKv(":memory:");
 * assert.equal(await new KvUserStore(kv).get("unknown"), undefined);
 * ```
 */
export class KvUserStore implements UserStore {
  readonly controlLog: KvControlLog | undefined;
  readonly #kv: KvConnection;
  readonly #reads: KvReads;
  readonly #clock: Clock;

  /** @param source The database, or a function that opens it at first use. */
  constructor(source: KvSource, options: { clock?: Clock; controlLog?: KvControlLog } = {}) {
    this.controlLog = options.controlLog;
    this.#kv = new KvConnection(source);
    this.#reads = KvReads.of(source);
    this.#clock = options.clock ?? systemClock;
  }

  async save(profile: ProviderProfile): Promise<User> {
    checkIdentity(profile);
    return await this.#commit("save", (kv) => this.#planSave(kv, profile));
  }

  async get(id: string): Promise<User | undefined> {
    if (!isId(id)) return undefined; // KV rejects keys that are too long.
    return await this.#reads.get<User>(userKey(id));
  }

  async update(id: string, change: (user: User) => User): Promise<User | undefined> {
    if (!isId(id)) return undefined;
    return await this.#commit("change", async (kv) => {
      const entry = await kv.get<User>(userKey(id));
      if (entry.versionstamp === null) return { result: undefined };
      const user = change(entry.value);
      const event = user.bannedAt === undefined
        ? { type: "user-changed", userId: id } as const
        : { type: "user-ended", userId: id, reason: "user-banned", at: user.bannedAt } as const;
      // The identity is written as well, so that checking its version covers both keys.
      const identity = await kv.get<string>(identityKey(user));
      const write = kv.atomic().check(entry, identity)
        .set(entry.key, user)
        .set(identity.key, id);
      return { result: user, write, event };
    });
  }

  list(options: UserPageOptions = {}): Promise<UserPage> {
    return this.#kv.run((kv) => pageOfUsers(listUsers(kv, options.after), options));
  }

  async remove(id: string): Promise<boolean> {
    if (!isId(id)) return false;
    return await this.#commit("remove", async (kv) => {
      const entry = await kv.get<User>(userKey(id));
      if (entry.versionstamp === null) return { result: false };
      const write = kv.atomic().check(entry)
        .delete(entry.key)
        .delete(identityKey(entry.value));
      const at = this.#clock.now();
      const event = { type: "user-ended", userId: id, reason: "user-removed", at } as const;
      return { result: true, write, event };
    });
  }

  async #planSave(kv: Deno.Kv, profile: ProviderProfile): Promise<Plan<User>> {
    const now = this.#clock.now();
    const identity = await kv.get<string>(identityKey(profile));
    // Every change of a user also writes the identity, so checking its version covers both keys.
    const known = identity.value === null ? undefined : await kv.get<User>(userKey(identity.value));
    const user = known?.value ? refreshUser(known.value, profile, now) : createUser(profile, now);
    const write = kv.atomic().check(identity)
      .set(identity.key, user.id)
      .set(userKey(user.id), user);
    const isNews = known?.value && !looksSame(known.value, user);
    const event = { type: "user-changed", userId: user.id } as const;
    return { result: user, write, event: isNews ? event : undefined };
  }

  /** Commits a planned write together with its event, and plans again after a conflict. */
  #commit<T>(action: string, plan: (kv: Deno.Kv) => Promise<Plan<T>>): Promise<T> {
    const controlLog = this.controlLog;
    return this.#kv.run(async (kv) => {
      for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
        const planned = await plan(kv);
        if (planned.write === undefined) return planned.result;
        if (planned.event === undefined || controlLog === undefined) {
          if ((await planned.write.commit()).ok) return planned.result;
          continue;
        }
        let result = planned.result;
        await controlLog.commit(kv, async () => {
          const { write, event, result: latest } = await plan(kv);
          result = latest;
          return write && { operation: write, events: event ? [event] : [] };
        });
        return result;
      }
      throw new Error(
        `Cannot ${action} a user: ${MAX_CONFLICTS} attempts conflicted with other writes`,
      );
    });
  }
}

interface Plan<T> {
  readonly result: T;
  readonly write?: Deno.AtomicOperation;
  readonly event?: SessionEvent | undefined;
}

async function* listUsers(kv: Deno.Kv, after: string | undefined): AsyncGenerator<User> {
  const prefix = ["users"];
  // The first key after that of `after`.
  const selector = after === undefined ? { prefix } : { prefix, start: userKey(`${after}\0`) };
  for await (const { value } of kv.list<User>(selector)) yield value;
}

function looksSame(a: User, b: User): boolean {
  return a.login === b.login && a.name === b.name && a.avatarUrl === b.avatarUrl;
}

function userKey(id: string): Deno.KvKey {
  return ["users", id];
}

function identityKey({ provider, subject }: Pick<User, "provider" | "subject">): Deno.KvKey {
  return ["users_by_identity", provider, subject];
}
