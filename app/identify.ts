import { findSession, isSecure } from "@sluice/sluice/sessions";
import type { Peer } from "@sluice/sluice/server";
import { Refusal } from "@sluice/sluice";
import type { Person } from "./define.ts";
import type { Services } from "./services.ts";

/**
 * Returns who makes a request, by the same code as the socket gate, or why that is nobody:
 * `NOT_SIGNED_IN` or `SESSION_EXPIRED`.
 *
 * @throws {Refusal} `UNAVAILABLE`: the database cannot be reached.
 */
export async function identify(
  { sessions, users, log }: Services,
  request: Request,
  peer: Peer,
): Promise<Person | Refusal> {
  const found = await findSession(sessions, request.headers, { secure: isSecure(peer.url) });
  if (found.state === "expired") return new Refusal("SESSION_EXPIRED");
  if (found.state !== "live") return new Refusal("NOT_SIGNED_IN");
  const { session } = found;
  try {
    const user = await users.get(session.userId);
    return user === undefined ? new Refusal("NOT_SIGNED_IN") : { user, session };
  } catch (error) {
    log.error("users cannot be read", { error });
    throw new Refusal("UNAVAILABLE", { retryAfterSeconds: 5, cause: error });
  }
}
