import { bearerToken, findSession, isSecure, sessionCookieName } from "@sluice/sluice/sessions";
import type { Peer } from "@sluice/sluice/server";
import { Refusal } from "@sluice/sluice";
import type { Person } from "./define.ts";
import type { Services } from "./services.ts";

/**
 * Returns who makes a request, by the same code as the socket gate, or why that is nobody:
 * `NOT_SIGNED_IN` or `SESSION_EXPIRED`. A client that is no browser shows its session's token as
 * `Authorization: Bearer …` instead of a cookie.
 *
 * @throws {Refusal} `UNAVAILABLE`: the database cannot be reached.
 */
export async function identify(
  { sessions, users, log }: Services,
  request: Request,
  peer: Peer,
): Promise<Person | Refusal> {
  const secure = isSecure(peer.url);
  const bearer = bearerToken(request.headers);
  const proof = bearer === undefined
    ? request.headers
    : new Map([[sessionCookieName(secure), bearer]]);
  const found = await findSession(sessions, proof, { secure });
  if (found.state === "expired") return new Refusal("SESSION_EXPIRED");
  if (found.state !== "live") return new Refusal("NOT_SIGNED_IN");
  const { session } = found;
  try {
    const user = await users.get(session.userId);
    const isNobody = user === undefined || user.bannedAt !== undefined;
    return isNobody ? new Refusal("NOT_SIGNED_IN") : { user, session };
  } catch (error) {
    log.error("users cannot be read", { error });
    throw new Refusal("UNAVAILABLE", { retryAfterSeconds: 5, cause: error });
  }
}
