import {
  credentialOf,
  isSecure,
  type NewToken,
  type Session,
  type Sessions,
} from "../sessions/mod.ts";
import type { UserChangeParts } from "./ban_user.ts";
import { beginSession } from "./begin_session.ts";
import type { SignInRequest } from "./sign_in_request.ts";
import type { User } from "./user.ts";

/** Returns the session that proves a request, if it lives. */
export async function sessionOf(
  sessions: Sessions,
  request: SignInRequest,
): Promise<Session | undefined> {
  const secure = isSecure(request.url);
  const { tokens = credentialOf(request.headers, { secure })?.tokens ?? [] } = request;
  for (const token of tokens) {
    const found = await sessions.find(token);
    if (found.state === "live") return found.session;
  }
  return undefined;
}

/**
 * Gives a browser a session of `user`. A session of the same user goes on with another secret, so that
 * its sockets stay open; one of another user ends. Undefined if the user was banned or removed
 * meanwhile.
 *
 * *Security*: the token is always a new one. A session that another person planted in the browser is
 * that person's, and is never taken over; nor is one of a program.
 */
export async function beginBrowserSession(
  parts: UserChangeParts,
  request: SignInRequest,
  user: User,
): Promise<NewToken | undefined> {
  const { sessions } = parts;
  const before = await sessionOf(sessions, request);
  if (before?.userId === user.id && before.kind === "browser") {
    // A ban ends it all the same, as it was there before.
    const renewed = await sessions.rotate(before.id);
    if (renewed !== undefined) return renewed;
  }
  const begun = await beginSession(parts, {
    userId: user.id,
    provider: user.provider,
    userAgent: request.headers.get("user-agent") ?? "",
    address: request.address,
  });
  if (begun !== undefined && before !== undefined) await sessions.end(before.id, "replaced");
  return begun;
}
