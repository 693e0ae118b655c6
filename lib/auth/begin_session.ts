import type { NewSession, NewToken } from "../sessions/mod.ts";
import type { UserChangeParts } from "./ban_user.ts";

/**
 * Begins a session of a user, and then reads the user again: a ban or a removal that came in between
 * ends the session. Returns undefined then, and if there is no such user.
 *
 * A ban that comes later than this reading finds the session on the user's list. If something fails,
 * the session may have been written all the same, with a token that is lost: it is ended.
 */
export async function beginSession(
  { users, sessions }: UserChangeParts,
  request: NewSession,
): Promise<NewToken | undefined> {
  const id = request.id ?? sessions.reserveId();
  try {
    const begun = await sessions.create({ ...request, id });
    const user = await users.get(request.userId);
    if (user !== undefined && user.bannedAt === undefined) return begun;
    await sessions.end(id, user === undefined ? "user-removed" : "user-banned");
    return undefined;
  } catch (error) {
    await sessions.end(id, "replaced").catch(() => {}); // The error that came first is the one to tell.
    throw error;
  }
}
