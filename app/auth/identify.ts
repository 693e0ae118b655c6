import { findSession } from "@sluice/sluice/sessions";
import { Refusal } from "@sluice/sluice";
import type { Identity } from "./identity.ts";
import type { Services } from "../services.ts";

/** The user of a request. */
export interface ProvenIdentity {
  readonly identity: Identity;
  /** *Security*: the credential that proves the session. */
  readonly token: string;
  /** The renewed token, if the browser does not use it yet: the response with it may be lost. */
  readonly renewedToken: string | undefined;
}

/**
 * Returns the user of a request, by the same code as the socket handler, or the reason why there is
 * none: `NOT_SIGNED_IN` or `SESSION_EXPIRED`. `tokens` are those that the route accepts.
 *
 * @throws {Refusal} `UNAVAILABLE`: the database cannot be reached.
 */
export async function identify(
  { sessions, users, log }: Services,
  tokens: readonly string[],
): Promise<ProvenIdentity | Refusal> {
  const found = await findSession(sessions, tokens);
  if (found.state === "expired") return new Refusal("SESSION_EXPIRED");
  if (found.state !== "live") return new Refusal("NOT_SIGNED_IN");
  const { session, token = "", renewedToken } = found;
  try {
    const user = await users.get(session.userId);
    const isNobody = user === undefined || user.bannedAt !== undefined;
    if (isNobody) return new Refusal("NOT_SIGNED_IN");
    return { identity: { user, session }, token, renewedToken };
  } catch (error) {
    log.error("users cannot be read", { error });
    throw new Refusal("UNAVAILABLE", { retryAfterSeconds: 5, cause: error });
  }
}
