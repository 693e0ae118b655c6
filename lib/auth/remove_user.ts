import type { Sessions } from "../sessions/mod.ts";
import type { UserStore } from "./user_store.ts";

/**
 * Removes a person and ends all their sessions, and with these every connection. Returns false
 * where there is no such person; their sessions, if any, are ended all the same.
 *
 * The person is removed first: a session that begins meanwhile belongs to nobody. `by` is who does so.
 *
 * @example
 * ```ts
 * import { MemoryUserStore, removeUser } from "@sluice/sluice/auth";
 * import { MemorySessionStore, Sessions } from "@sluice/sluice/sessions";
 * import assert from "node:assert/strict";
 *
 * const sessions = new Sessions(new MemorySessionStore(), { log: console });
 * assert.equal(await removeUser(new MemoryUserStore(), sessions, { id: "nobody" }), false);
 * ```
 */
export async function removeUser(
  users: UserStore,
  sessions: Sessions,
  user: { readonly id: string },
  options: { by?: string } = {},
): Promise<boolean> {
  const removed = await users.remove(user.id);
  sessions.announce({ type: "user-ended", userId: user.id, reason: "user-removed", ...options });
  await sessions.endAll(user.id, { reason: "user-removed", ...options });
  return removed;
}
