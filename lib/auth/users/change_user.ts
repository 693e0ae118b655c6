import type { User } from "./user.ts";
import type { AuthParts } from "../auth_parts.ts";

/**
 * Bans a user: all their sessions and connections end, and they cannot sign in until
 * {@linkcode unbanUser}. `by` is the user who bans. Returns the banned user, or undefined for an
 * unknown id.
 *
 * The ban is written first. If ending the sessions fails, the remaining ones are refused anyway; a
 * second {@linkcode banUser} or {@linkcode unbanUser} ends them.
 *
 * @example
 * ```ts
 * import { MemorySessionStore, MemoryUserStore, Sessions } from "@sluice/sluice";
 * import { banUser } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * const users = new MemoryUserStore();
 * const sessions = new Sessions(new MemorySessionStore());
 * assert.equal(await banUser({ users, sessions }, "unknown"), undefined);
 * ```
 */
export async function banUser(
  { users, sessions }: AuthParts,
  id: string,
  options: { now?: number; by?: string } = {},
): Promise<User | undefined> {
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
 *
 * @example
 * ```ts
 * import { MemorySessionStore, MemoryUserStore, Sessions } from "@sluice/sluice";
 * import { banUser, unbanUser } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * const users = new MemoryUserStore();
 * const sessions = new Sessions(new MemorySessionStore());
 * const profile = { provider: "dev", subject: "1", login: "ada", name: "Ada", avatarUrl: undefined };
 * const { id } = await users.save(profile);
 * await banUser({ users, sessions }, id);
 * assert.equal((await unbanUser({ users, sessions }, id))?.bannedAt, undefined);
 * ```
 */
export async function unbanUser(
  { users, sessions }: AuthParts,
  id: string,
  options: { by?: string } = {},
): Promise<User | undefined> {
  const user = await users.get(id);
  if (user?.bannedAt === undefined) return user;
  await sessions.endAll(id, { reason: "user-banned", ...options });
  return await users.update(id, (known) => ({ ...known, bannedAt: undefined }));
}

/**
 * Changes the roles of a user. The scopes of their open connections have the new roles within a
 * second, on every process. Returns the user, or undefined for an unknown id.
 *
 * @example
 * ```ts
 * import { MemorySessionStore, MemoryUserStore, Sessions } from "@sluice/sluice";
 * import { setRoles } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * const users = new MemoryUserStore();
 * const sessions = new Sessions(new MemorySessionStore());
 * const profile = { provider: "dev", subject: "1", login: "ada", name: "Ada", avatarUrl: undefined };
 * const { id } = await users.save(profile);
 * assert.deepEqual((await setRoles({ users, sessions }, id, ["editor"]))?.roles, ["editor"]);
 * ```
 */
export async function setRoles(
  { users, sessions }: AuthParts,
  id: string,
  roles: readonly string[],
): Promise<User | undefined> {
  const user = await users.update(id, (known) => ({ ...known, roles: [...roles] }));
  if (user) sessions.events.announce({ type: "user-changed", userId: id }, users.controlLog);
  return user;
}

/**
 * Removes a user and ends all their sessions and connections. Returns false for an unknown id;
 * remaining sessions end even then.
 *
 * The user is removed first, so that a session created meanwhile has no user. `by` is the user who
 * removes.
 *
 * @example
 * ```ts
 * import { MemorySessionStore, MemoryUserStore, Sessions } from "@sluice/sluice";
 * import { removeUser } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * const users = new MemoryUserStore();
 * const sessions = new Sessions(new MemorySessionStore());
 * assert.equal(await removeUser({ users, sessions }, "unknown"), false);
 * ```
 */
export async function removeUser(
  { users, sessions }: AuthParts,
  id: string,
  options: { by?: string } = {},
): Promise<boolean> {
  const removed = await users.remove(id);
  const ended = { type: "user-ended", userId: id, reason: "user-removed", ...options } as const;
  sessions.events.announce(ended, removed ? users.controlLog : undefined);
  await sessions.endAll(id, { reason: "user-removed", ...options });
  return removed;
}
