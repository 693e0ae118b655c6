import type { Context } from "fresh";
import { isSecure, sessionCookie, sessionCookieName } from "@sluice/sluice/sessions";
import type { Person, State } from "./define.ts";

/**
 * Gives the browser of a request another secret where the one that it came with is old, with the
 * answer: its sockets stay, and what was stolen of it is good for nothing soon after.
 *
 * *Security*: only for who came with a cookie; a program that came with a token could not keep another.
 */
export async function renewCookie(
  { state }: Context<State>,
  { session, user }: Person,
  response: Response,
): Promise<Response> {
  const { sessions, audit, log } = state.services;
  const secure = isSecure(state.peer.url);
  if (setsSessionCookie(response, secure)) return response;
  try {
    const renewed = await sessions.renewSecret(session);
    if (renewed === undefined) return response;
    const options = { secure, maxAgeSeconds: sessions.cookieMaxAgeSeconds };
    response.headers.append("set-cookie", sessionCookie(renewed.token, options));
    audit.write({ kind: "session-rotated", sessionId: session.id, userId: user.id });
  } catch (error) {
    log.warn("The secret of a session could not be renewed", { session: session.id, error });
  }
  return response;
}

/** Whether the answer gives the browser another session, or takes it away. */
function setsSessionCookie({ headers }: Response, secure: boolean): boolean {
  const name = `${sessionCookieName(secure)}=`;
  return headers.getSetCookie().some((cookie) => cookie.startsWith(name));
}
