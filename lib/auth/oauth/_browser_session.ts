import { credentialOf, type Session, type Sessions } from "../../sessions/mod.ts";
import type { NewToken } from "../../sessions/session.ts";
import { isSecure } from "../../sessions/credential.ts";
import type { AuthParts } from "../auth_parts.ts";
import { beginSession } from "../begin_session.ts";
import type { SignInRequest } from "./sign_in_request.ts";
import type { User } from "../users/user.ts";

/** Returns the live session that a request's token belongs to, if any. */
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
 * Gives a browser a session of `user`. A session of the same user continues with a new secret, so
 * that its sockets stay open; a session of another user ends. Returns undefined if the user was
 * banned or removed meanwhile.
 *
 * *Security*: the token is always new. If an attacker planted a session in the browser, that
 * session belongs to the attacker and is never reused. Neither is a session of a program.
 */
export async function beginBrowserSession(
  parts: AuthParts,
  request: SignInRequest,
  user: User,
): Promise<NewToken | undefined> {
  const { sessions } = parts;
  const before = await sessionOf(sessions, request);
  if (before?.userId === user.id && before.kind === "browser") {
    // A concurrent ban still ends this session: it is already on the user's list.
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
