import type { Context } from "fresh";
import { isSecure, sessionCookie, sessionCookieName } from "@sluice/sluice/sessions";
import type { State } from "./define.ts";
import type { Identity } from "./identify.ts";

/**
 * Gives the browser of a request another secret where the one that it came with is old, with the
 * answer: its sockets stay. If an answer with the new one was lost, the next answer has it again.
 *
 * *Security*: only for who came with a cookie; a program that came with a token could not keep another.
 */
export async function renewCookie(
  { state }: Context<State>,
  { person: { session, user }, token, renewedToken }: Identity,
  response: Response,
): Promise<Response> {
  const { sessions, audit, log } = state.services;
  const secure = isSecure(state.peer.url);
  if (setsSessionCookie(response, secure)) return response;
  try {
    const next = renewedToken ?? await renewedNow();
    if (next === undefined) return response;
    const options = { secure, maxAgeSeconds: sessions.cookieMaxAgeSeconds };
    response.headers.append("set-cookie", sessionCookie(next, options));
  } catch (error) {
    log.warn("The secret of a session could not be renewed", { session: session.id, error });
  }
  return response;

  async function renewedNow(): Promise<string | undefined> {
    const renewed = await sessions.renewSecret(session, token);
    if (renewed?.isNew) {
      audit.write({ kind: "session-rotated", sessionId: session.id, userId: user.id });
    }
    return renewed?.token;
  }
}

/** Whether the answer gives the browser another session, or takes it away. */
function setsSessionCookie({ headers }: Response, secure: boolean): boolean {
  const name = `${sessionCookieName(secure)}=`;
  return headers.getSetCookie().some((cookie) => cookie.startsWith(name));
}
