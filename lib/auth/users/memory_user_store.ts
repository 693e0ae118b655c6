import { type Clock, systemClock } from "../../core/clock.ts";
import { applyProfile, type ProviderProfile, type User } from "./user.ts";
import { pageOfUsers } from "./user_page.ts";
import type { UserStore } from "./user_store.ts";

/**
 * Stores users in memory, for tests.
 *
 * @example
 * ```ts
 * import { MemoryUserStore } from "@sluice/sluice";
 * import assert from "node:assert/strict";
 *
 * assert.equal(await new MemoryUserStore().get("unknown"), undefined);
 * ```
 */
export class MemoryUserStore implements UserStore {
  readonly #clock: Clock;
  readonly #users = new Map<string, User>();
  readonly #ids = new Map<string, string>();

  /** Creates an empty store. */
  constructor(options: { clock?: Clock } = {}) {
    this.#clock = options.clock ?? systemClock;
  }

  // deno-lint-ignore require-await
  async save(profile: ProviderProfile): Promise<User> {
    const identity = identityOf(profile);
    const known = this.#users.get(this.#ids.get(identity) ?? "");
    const user = applyProfile(known, profile, this.#clock.now());
    this.#users.set(user.id, user);
    this.#ids.set(identity, user.id);
    return user;
  }

  get(id: string): Promise<User | undefined> {
    return Promise.resolve(this.#users.get(id));
  }

  update(id: string, change: (user: User) => User): Promise<User | undefined> {
    const user = this.#users.get(id);
    const changed = user && change(user);
    if (changed) this.#users.set(id, changed);
    return Promise.resolve(changed);
  }

  list(
    options: Parameters<UserStore["list"]>[0] = {},
  ): ReturnType<UserStore["list"]> {
    const { after = "" } = options;
    const ids = [...this.#users.keys()].filter((id) => id > after).sort();
    return pageOfUsers(ids.map((id) => this.#users.get(id)!), options);
  }

  remove(id: string): Promise<boolean> {
    const user = this.#users.get(id);
    if (user) this.#ids.delete(identityOf(user));
    return Promise.resolve(this.#users.delete(id));
  }
}

function identityOf({ provider, subject }: Pick<User, "provider" | "subject">): string {
  return JSON.stringify([provider, subject]);
}
