import { findSession, isSecure } from "@sluice/sluice/sessions";
import type { Peer } from "@sluice/sluice/server";
import { Refusal } from "@sluice/sluice";
import type { Person } from "./define.ts";
import type { Services } from "./services.ts";

/**
 * Returns who makes a request, by the same code as the socket gate: undefined is nobody.
 *
 * @throws {Refusal} `UNAVAILABLE`: the database cannot be reached.
 */
export async function identify(
  { sessions, users, log }: Services,
  request: Request,
  peer: Peer,
): Promise<Person | undefined> {
  const found = await findSession(sessions, request.headers, { secure: isSecure(peer.url) });
  if (found.state !== "live") return undefined;
  const { session } = found;
  try {
    const user = await users.get(session.userId);
    return user && { user, session };
  } catch (error) {
    log.error("users cannot be read", { error });
    throw new Refusal("UNAVAILABLE", { retryAfterSeconds: 5, cause: error });
  }
}
