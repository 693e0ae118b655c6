import type { Context } from "fresh";
import { sessionCookie } from "@sluice/sluice/sessions";
import type { State } from "../http/define.ts";
import type { ProvenIdentity } from "./identify.ts";

/**
 * Renews an old session secret of a browser with the response; its sockets stay open. If a response
 * with the new secret was lost, the next one has it again.
 *
 * *Security*: only for requests with a cookie; a program with a bearer token could not store a new
 * one.
 */
export async function renewCookie(
  { state }: Context<State>,
  { identity: { session, user }, token, renewedToken }: ProvenIdentity,
  response: Response,
): Promise<Response> {
  const { sessions, audit, log } = state.services;
  const secure = state.peer.url.protocol === "https:";
  if (setsSessionCookie(response)) return response;
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

/** Returns whether the response sets or deletes the session cookie. */
function setsSessionCookie({ headers }: Response): boolean {
  return headers.getSetCookie().some((cookie) => /^(?:__Host-)?session=/.test(cookie));
}
