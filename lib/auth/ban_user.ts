import type { Sessions } from "../sessions/mod.ts";
import type { User } from "./user.ts";
import type { UserStore } from "./user_store.ts";

/** What changing a person works with. */
export interface UserChangeParts {
  readonly users: UserStore;
  readonly sessions: Sessions;
}

/**
 * Bans a user: all their sessions end, with every connection, and they cannot sign in until
 * {@linkcode unbanUser}. `by` is who does so. Returns the user, or undefined if there is none.
 *
 * The ban is written first. If ending the sessions fails, none of them is let in all the same, and
 * both {@linkcode banUser} again and {@linkcode unbanUser} end what is left.
 *
 * @example
 * ```ts
 * import { banUser, MemoryUserStore } from "@sluice/sluice/auth";
 * import { MemorySessionStore, Sessions } from "@sluice/sluice/sessions";
 * import assert from "node:assert/strict";
 *
 * const users = new MemoryUserStore();
 * const sessions = new Sessions(new MemorySessionStore(), { log: console });
 * assert.equal(await banUser({ users, sessions }, "nobody"), undefined);
 * ```
 */
export async function banUser(
  { users, sessions }: UserChangeParts,
  id: string,
  options: { now?: number; by?: string } = {},
): Promise<User | undefined> {
  const { now: bannedAt = Date.now(), ...by } = options;
  const user = await users.update(id, (known) => ({ ...known, bannedAt }));
  sessions.announce({ type: "user-ended", userId: id, reason: "user-banned", ...by });
  await sessions.endAll(id, { reason: "user-banned", ...by });
  return user;
}

/**
 * Lets a user sign in again. Returns the user, or undefined if there is none.
 *
 * Sessions that the ban has not ended, as it failed half way, end first: none of them comes back.
 */
export async function unbanUser(
  { users, sessions }: UserChangeParts,
  id: string,
  options: { by?: string } = {},
): Promise<User | undefined> {
  const user = await users.get(id);
  if (user?.bannedAt === undefined) return user;
  await sessions.endAll(id, { reason: "user-banned", ...options });
  return await users.update(id, (known) => ({ ...known, bannedAt: undefined }));
}

/**
 * Changes the roles of a person: the scopes of their open connections have them within a second, on
 * every process. Returns the person, or undefined where there is none.
 */
export async function setRoles(
  { users, sessions }: UserChangeParts,
  id: string,
  roles: readonly string[],
): Promise<User | undefined> {
  const user = await users.update(id, (known) => ({ ...known, roles: [...roles] }));
  if (user) sessions.announce({ type: "user-changed", userId: id });
  return user;
}
