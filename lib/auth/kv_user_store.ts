import { type Clock, systemClock } from "../scope.ts";
import { KvConnection, type KvSource } from "../sessions/mod.ts";
import { checkIdentity } from "./_identity.ts";
import { createUser, type Profile, refreshUser, type User } from "./user.ts";
import type { UserStore } from "./user_store.ts";

/** How often a change is tried again because another one came first. */
const MAX_CONFLICTS = 20;

/**
 * Keeps people in Deno KV.
 *
 * `["users", id]` holds the person; `["users_by_identity", provider, subject]` their id. An atomic
 * operation has one check.
 *
 * @example
 * ```ts
 * import { KvUserStore } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * using kv = await Deno.openKv(":memory:");
 * assert.equal(await new KvUserStore(kv).get("nobody"), undefined);
 * ```
 */
export class KvUserStore implements UserStore {
  readonly #kv: KvConnection;
  readonly #clock: Clock;

  /** @param source The database, or what opens it: then it is opened at the first use. */
  constructor(source: KvSource, options: { clock?: Clock } = {}) {
    this.#kv = new KvConnection(source);
    this.#clock = options.clock ?? systemClock;
  }

  async save(profile: Profile): Promise<User> {
    checkIdentity(profile);
    return await this.#kv.run((kv) => this.#untilSaved(kv, profile));
  }

  get(id: string): Promise<User | undefined> {
    return this.#kv.run(async (kv) => (await kv.get<User>(userKey(id))).value ?? undefined);
  }

  remove(id: string): Promise<boolean> {
    return this.#kv.run(async (kv) => {
      for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
        const entry = await kv.get<User>(userKey(id));
        if (entry.versionstamp === null) return false;
        const removal = kv.atomic().check(entry)
          .delete(entry.key)
          .delete(identityKey(entry.value));
        if ((await removal.commit()).ok) return true;
      }
      throw conflict("remove");
    });
  }

  async #untilSaved(kv: Deno.Kv, profile: Profile): Promise<User> {
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
      const user = await this.#trySave(kv, profile);
      if (user) return user;
    }
    throw conflict("save");
  }

  async #trySave(kv: Deno.Kv, profile: Profile): Promise<User | undefined> {
    const now = this.#clock.now();
    const identity = await kv.get<string>(identityKey(profile));
    // Every change of a user writes the identity too: its version stands for both.
    const known = identity.value === null ? undefined : await kv.get<User>(userKey(identity.value));
    const user = known?.value ? refreshUser(known.value, profile, now) : createUser(profile, now);
    const operation = kv.atomic().check(identity)
      .set(identity.key, user.id)
      .set(userKey(user.id), user);
    return (await operation.commit()).ok ? user : undefined;
  }
}

function userKey(id: string): Deno.KvKey {
  return ["users", id];
}

function identityKey({ provider, subject }: Pick<User, "provider" | "subject">): Deno.KvKey {
  return ["users_by_identity", provider, subject];
}

function conflict(action: string): Error {
  return new Error(`Cannot ${action} a user: ${MAX_CONFLICTS} other changes came first`);
}
