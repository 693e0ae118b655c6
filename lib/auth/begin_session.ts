import type { NewSession, NewToken } from "../sessions/mod.ts";
import type { UserChangeParts } from "./ban_user.ts";

/**
 * Begins a session of a user, and then reads the user again: a ban or a removal that came in between
 * ends the session. Returns undefined then, and if there is no such user.
 *
 * A ban that comes later than this reading finds the session on the user's list.
 */
export async function beginSession(
  { users, sessions }: UserChangeParts,
  request: NewSession,
): Promise<NewToken | undefined> {
  const begun = await sessions.create(request);
  const user = await users.get(request.userId);
  if (user !== undefined && user.bannedAt === undefined) return begun;
  await sessions.end(begun.session.id, user === undefined ? "user-removed" : "user-banned");
  return undefined;
}
