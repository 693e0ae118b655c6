import type { AuthParts } from "../auth_parts.ts";
import type { User } from "./user.ts";

/**
 * Changes of users that take effect on their open connections at once, on every process: roles, bans and
 * removals. `by` is the user who makes the change.
 *
 * @example
 * ```ts
 * import { MemorySessionStore, MemoryUserStore, Sessions } from "@sluice/sluice";
 * import { UserChanges } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * const users = new MemoryUserStore();
 * const changes = new UserChanges({ users, sessions: new Sessions(new MemorySessionStore()) });
 * const profile = { provider: "dev", subject: "1", login: "ada", name: "Ada", avatarUrl: undefined };
 * const { id } = await users.save(profile);
 * assert.deepEqual((await changes.setRoles(id, ["editor"]))?.roles, ["editor"]);
 * assert.ok((await changes.ban(id))?.bannedAt);
 * assert.equal((await changes.unban(id))?.bannedAt, undefined);
 * assert.equal(await changes.remove(id), true);
 * ```
 */
export class UserChanges {
  readonly #parts: AuthParts;

  /** Creates the changes of a store of users, and of the sessions of these users. */
  constructor(parts: AuthParts) {
    this.#parts = parts;
  }

  /**
   * Bans a user: all their sessions and connections end, and they cannot sign in until
   * {@linkcode unban}. Returns the banned user, or undefined for an unknown id.
   *
   * The ban is written first. If ending the sessions fails, the remaining ones are refused anyway; a
   * second {@linkcode ban} or {@linkcode unban} ends them.
   */
  async ban(id: string, options: { now?: number; by?: string } = {}): Promise<User | undefined> {
    const { users, sessions } = this.#parts;
    const { now: bannedAt = Date.now(), ...by } = options;
    const user = await users.update(id, (known) => ({ ...known, bannedAt }));
    const ended = { type: "user-ended", userId: id, reason: "user-banned", ...by } as const;
    sessions.events.announce(ended, user && users.controlLog);
    await sessions.endAll(id, { reason: "user-banned", ...by });
    return user;
  }

  /**
   * Lets a user sign in again. Returns the user, or undefined for an unknown id.
   *
   * Sessions that a failed ban left behind end first, so that none of them becomes valid again.
   */
  async unban(id: string, options: { by?: string } = {}): Promise<User | undefined> {
    const { users, sessions } = this.#parts;
    const user = await users.get(id);
    if (user?.bannedAt === undefined) return user;
    await sessions.endAll(id, { reason: "user-banned", ...options });
    return await users.update(id, (known) => ({ ...known, bannedAt: undefined }));
  }

  /**
   * Changes the roles of a user. The scopes of their open connections have the new roles within a
   * second. Returns the user, or undefined for an unknown id.
   */
  async setRoles(id: string, roles: readonly string[]): Promise<User | undefined> {
    const { users, sessions } = this.#parts;
    const user = await users.update(id, (known) => ({ ...known, roles: [...roles] }));
    if (user) sessions.events.announce({ type: "user-changed", userId: id }, users.controlLog);
    return user;
  }

  /**
   * Removes a user and ends all their sessions and connections. Returns false for an unknown id;
   * remaining sessions end even then.
   *
   * The user is removed first, so that a session created meanwhile has no user.
   */
  async remove(id: string, options: { by?: string } = {}): Promise<boolean> {
    const { users, sessions } = this.#parts;
    const removed = await users.remove(id);
    const ended = { type: "user-ended", userId: id, reason: "user-removed", ...options } as const;
    sessions.events.announce(ended, removed ? users.controlLog : undefined);
    await sessions.endAll(id, { reason: "user-removed", ...options });
    return removed;
  }
}
