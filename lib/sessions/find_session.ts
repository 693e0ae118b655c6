import { Refusal } from "../protocol/mod.ts";
import type { FoundSession } from "./session.ts";
import type { TokenChoice } from "./session_lookup.ts";
import type { Sessions } from "./sessions.ts";

/** `Retry-After` when the store cannot be reached, in seconds. */
const RETRY_AFTER_SECONDS = 5;

/**
 * Finds and renews the session of a request by its tokens, as {@linkcode credentialOf} returns them: the
 * first live session counts. {@linkcode withSession} for pages and APIs.
 *
 * *Security*: the `token` of a live session is a credential; never log it.
 *
 * @throws {Refusal} `UNAVAILABLE`: the store cannot be reached.
 *
 * @example
 * ```ts
 * import { MemorySessionStore, Sessions } from "@sluice/sluice";
 * import { credentialOf, findSession } from "@sluice/sluice/sessions";
 * import assert from "node:assert/strict";
 *
 * const sessions = new Sessions(new MemorySessionStore());
 * const { token } = await sessions.create({ userId: "u1", provider: "dev" });
 * const headers = new Headers({ cookie: `session=${token}` });
 * const found = await findSession(sessions, credentialOf(headers, { secure: false })?.tokens);
 * assert.equal(found.state, "live");
 * ```
 */
export async function findSession(
  sessions: Sessions,
  tokens: readonly string[] = [],
): Promise<FoundSession & { readonly token?: string }> {
  let chosen: TokenChoice;
  try {
    chosen = await sessions.lookup.choose(tokens);
  } catch (error) {
    throw unavailable(sessions, error);
  }
  if (chosen === undefined) return { state: "unknown" };
  const found = await readAndRenew(sessions, () => sessions.lookup.find(chosen.parts));
  if (found instanceof Refusal) throw found;
  return found.state === "live" ? { ...found, token: chosen.token } : found;
}

/**
 * Finds a session and renews it if it is due.
 *
 * Returns the refusal `UNAVAILABLE` if the store cannot be reached.
 */
export async function readAndRenew(
  sessions: Pick<Sessions, "touch" | "log">,
  find: () => Promise<FoundSession>,
): Promise<FoundSession | Refusal> {
  let found: FoundSession;
  try {
    found = await find();
  } catch (error) {
    return unavailable(sessions, error);
  }
  if (found.state !== "live") return found;
  try {
    const session = await sessions.touch(found.session);
    return session ? { ...found, session } : { state: "unknown" };
  } catch (error) {
    // The session is live: a failed renewal only shortens it, and is not a reason to refuse.
    sessions.log.warn("a session could not be renewed", { session: found.session.id, error });
    return found;
  }
}

/** Logs that the store cannot be reached, and returns the refusal `UNAVAILABLE`. */
export function unavailable({ log }: Pick<Sessions, "log">, error: unknown): Refusal {
  log.error("sessions cannot be read", { error });
  return new Refusal("UNAVAILABLE", { retryAfterSeconds: RETRY_AFTER_SECONDS, cause: error });
}
