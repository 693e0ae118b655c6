import type { NewToken } from "../sessions/session.ts";
import type { AuthParts } from "./auth_parts.ts";
import type { NewSession } from "../sessions/session_record.ts";

/**
 * Creates a session of a user, then reads the user again: if they were banned or removed meanwhile,
 * the session ends. Returns undefined then, and if there is no such user.
 *
 * A later ban finds the session on the user's list. After an error the session may exist although
 * its token is lost, so it is ended.
 */
export async function beginSession(
  { users, sessions }: AuthParts,
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
    await sessions.end(id, "replaced").catch(() => {}); // The first error is the one to report.
    throw error;
  }
}
