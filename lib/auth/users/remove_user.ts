import type { Sessions } from "../../sessions/mod.ts";
import type { UserStore } from "./user_store.ts";

/**
 * Removes a user and ends all their sessions and connections. Returns false if there is no such
 * user; remaining sessions end even then.
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
 * const sessions = new Sessions(new MemorySessionStore(), { log: console });
 * assert.equal(await removeUser(new MemoryUserStore(), sessions, { id: "unknown" }), false);
 * ```
 */
export async function removeUser(
  users: UserStore,
  sessions: Sessions,
  user: { readonly id: string },
  options: { by?: string } = {},
): Promise<boolean> {
  const removed = await users.remove(user.id);
  const ended = {
    type: "user-ended",
    userId: user.id,
    reason: "user-removed",
    ...options,
  } as const;
  sessions.events.announce(ended, removed ? users.controlLog : undefined);
  await sessions.endAll(user.id, { reason: "user-removed", ...options });
  return removed;
}
