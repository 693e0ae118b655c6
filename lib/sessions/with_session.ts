import { guarded } from "../guards.ts";
import type { Admission, Application, Middleware, OriginScope, Scope } from "../scope.ts";
import { andThen, isPromise } from "../promises.ts";
import { Refusal } from "../protocol/mod.ts";
import { isSecure } from "./cookie.ts";
import { credentialOf } from "./credential.ts";
import type { SessionBinding, SessionWatcher } from "./live_entry.ts";
import type { FoundSession, Session } from "./session.ts";
import type { SessionToken } from "./session_token.ts";
import type { Sessions } from "./sessions.ts";
import { tieOf } from "./watch_session.ts";

/**
 * What is known of a connection's session. `none`: no cookie, or one that means nothing here;
 * `ticket-invalid`: what came instead of a cookie was no good.
 */
export type SessionState = "live" | "expired" | "none" | "ticket-invalid";

/** What {@linkcode withSession} adds to the scope. */
export interface SessionScope extends Scope {
  /** There exactly when `sessionState` is `live`. */
  readonly session: Session | undefined;
  readonly sessionState: SessionState;
}

/** What a client is told to wait where the store cannot be reached, in seconds. */
const RETRY_AFTER_SECONDS = 5;

/**
 * Finds the session of a connection by its cookie, and ties the connection to it: when the session
 * ends, by whatever means, the connection is ended with 4401. When it is renewed or rotated,
 * `scope.session` is replaced and the consumer's `scopeChanged()` is called.
 *
 * Everybody is let through; `requireUser` turns away. At most one read of the store, none where the session
 * was just read, and at most one write an hour to renew the session. Refuses with `UNAVAILABLE` where the store cannot be reached.
 *
 * *Security*: the cookie is called `__Host-session` where `scope.url` is https, and `session` else. If
 * several cookies have the name, the first valid one counts, of up to five. A bearer token beside a
 * cookie means that the cookie does not count; it opens no socket itself. Where a ticket was offered the
 * cookie is not looked at, as a ticket needs no `Origin`. The connection is tied to the session before
 * the session is read, so that an end that comes in between is not missed.
 *
 * @example
 * ```ts
 * import { MemorySessionStore, Sessions, withSession } from "@sluice/sluice/sessions";
 * import assert from "node:assert/strict";
 *
 * const sessions = new Sessions(new MemorySessionStore(), { log: console });
 * const whoami = withSession(sessions, (scope) => new Response(scope.sessionState));
 * assert.equal(typeof whoami, "function");
 * ```
 */
export function withSession<S>(
  sessions: Sessions,
  next: Application<S & SessionScope>,
): Application<S & OriginScope> {
  const application: Application<S & OriginScope> = (scope) => {
    if (scope.ticket !== undefined) {
      const none = { session: undefined, sessionState: "ticket-invalid" } as const;
      return next(Object.assign(scope, none));
    }
    const credential = credentialOf(scope.headers, { secure: isSecure(scope.url) });
    const tokens = credential?.kind === "cookie" ? credential.tokens : [];
    return andThen(chooseToken(sessions, tokens), (chosen) => {
      if (chosen instanceof Refusal) return chosen;
      if (chosen === undefined) return next(addSession(scope, { state: "unknown" }));
      const { parts } = chosen;
      const find = () => sessions.find(parts);
      const recall = () => sessions.recall(parts);
      return admitSession(sessions, { scope, id: parts.id, find, recall }, next);
    });
  };
  return guarded(application, next, "session");
}

/**
 * The middleware of {@linkcode withSession} for a `stack()`: finds the session by its cookie and ties
 * the connection to it.
 *
 * @example
 * ```ts
 * import { stack } from "@sluice/sluice/routing";
 * import { origins } from "@sluice/sluice/security";
 * import { MemorySessionStore, session, Sessions } from "@sluice/sluice/sessions";
 *
 * const sessions = new Sessions(new MemorySessionStore(), { log: console });
 * const known = stack().use(origins()).use(session(sessions));
 * ```
 */
export function session(sessions: Sessions): Middleware<OriginScope, SessionScope> {
  return (next) => withSession(sessions, next);
}

/** A connection, and how its session is found. */
export interface SessionClaim<S> {
  readonly scope: S & Scope;
  /** The session that it says it belongs to. */
  readonly id: string;
  /** Checks the proof and reads the session. */
  readonly find: () => Promise<FoundSession>;
  /** Checks the proof and returns the session, where neither a reading nor a renewal is needed for that. */
  readonly recall?: () => Session | undefined;
  /** What is said of a session that is unknown. @default {"none"} */
  readonly unknownAs?: SessionState;
}

/**
 * Ties a connection to a session, reads the session, renews it, and goes on to `next`: what
 * {@linkcode withSession} does with a cookie, for proofs of another kind.
 */
export function admitSession<S>(
  sessions: Sessions,
  claim: SessionClaim<S>,
  next: Application<S & SessionScope>,
): Admission | Promise<Admission> {
  const { scope, id } = claim;
  const tie = tieOf(scope.connection);
  tie.recollection = sessions.recollection;
  const binding = sessions.live.claim(id, scope.connection, tie);
  try {
    const found = findClaimed(sessions, claim);
    const admission = andThen(found, (found) => {
      if (found instanceof Refusal) return found;
      if (binding.over) return Refusal.of("NOT_SIGNED_IN");
      if (found.state === "live") {
        binding.prove();
        sessions.live.track(found.session);
      } else binding.release();
      const known = addSession(scope, found, claim.unknownAs);
      tie.add(new ScopeRenewal(known));
      return next(known);
    });
    return isPromise(admission) ? waitFor(binding, admission) : admitted(binding, admission);
  } catch (error) {
    binding.release();
    throw error;
  }
}

async function waitFor(
  binding: SessionBinding,
  admission: Promise<Admission>,
): Promise<Admission> {
  try {
    return admitted(binding, await admission);
  } catch (error) {
    binding.release();
    throw error;
  }
}

/** Unties a connection that was turned away, or is to be: its session may have ended meanwhile. */
function admitted(binding: SessionBinding, admission: Admission): Admission {
  if (binding.over) admission = Refusal.of("NOT_SIGNED_IN");
  if (admission instanceof Response || admission instanceof Refusal) binding.release();
  return admission;
}

function findClaimed<S>(
  sessions: Sessions,
  { recall, find }: SessionClaim<S>,
): FoundSession | Refusal | Promise<FoundSession | Refusal> {
  const session = recall?.();
  return session === undefined ? readAndRenew(sessions, find) : { state: "live", session };
}

/** The session of a request, and the token that proves it. */
export type RequestSession = FoundSession & {
  /** *Security*: a credential; never log it. */
  readonly token?: string;
};

/**
 * Finds and renews the session of a request by its bearer token or its cookies: what
 * {@linkcode withSession} does, for pages and APIs.
 *
 * @throws {Refusal} `UNAVAILABLE`: the store cannot be reached.
 *
 * @example
 * ```ts
 * import { findSession, MemorySessionStore, Sessions } from "@sluice/sluice/sessions";
 * import assert from "node:assert/strict";
 *
 * const sessions = new Sessions(new MemorySessionStore(), { log: console });
 * const { token } = await sessions.create({ userId: "u1", provider: "dev" });
 * const headers = new Headers({ cookie: `session=${token}` });
 * const found = await findSession(sessions, headers, { secure: false });
 * assert.equal(found.state, "live");
 * ```
 */
export function findSession(
  sessions: Sessions,
  headers: Headers,
  options: { secure: boolean },
): Promise<RequestSession> {
  return findSessionByTokens(sessions, credentialOf(headers, options)?.tokens ?? []);
}

/**
 * Finds and renews the session of a request by the tokens that count for it: the first one of a session
 * that lives. For those who decide which {@linkcode credentialOf} they accept.
 *
 * @throws {Refusal} `UNAVAILABLE`: the store cannot be reached.
 */
export async function findSessionByTokens(
  sessions: Sessions,
  tokens: readonly string[],
): Promise<RequestSession> {
  const chosen = await chooseToken(sessions, tokens);
  if (chosen instanceof Refusal) throw chosen;
  if (chosen === undefined) return { state: "unknown" };
  const found = await readAndRenew(sessions, () => sessions.find(chosen.parts));
  if (found instanceof Refusal) throw found;
  return found.state === "live" ? { ...found, token: chosen.token } : found;
}

async function readAndRenew(
  sessions: Sessions,
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
    // It was read and it lives: that it could not be renewed shortens it, and is no reason to refuse.
    sessions.log.warn("a session could not be renewed", { session: found.session.id, error });
    return found;
  }
}

function unavailable({ log }: Sessions, error: unknown): Refusal {
  log.error("sessions cannot be read", { error });
  return new Refusal("UNAVAILABLE", { retryAfterSeconds: RETRY_AFTER_SECONDS, cause: error });
}

/** A token that a server over this store wrote. */
interface ChosenToken {
  readonly token: string;
  readonly parts: SessionToken;
}

type Choice = ChosenToken | undefined | Refusal;

/** Returns the token that counts, in the same turn unless something has to be read. */
function chooseToken(sessions: Sessions, tokens: readonly string[]): Choice | Promise<Choice> {
  const [token] = tokens;
  if (token === undefined) return undefined;
  const choice = tokens.length === 1
    ? andThen(sessions.readToken(token), (parts) => parts && { token, parts })
    : chooseAmong(sessions, tokens);
  return isPromise(choice) ? choice.catch((error) => unavailable(sessions, error)) : choice;
}

/** The first of a session that lives; else the first of one that has expired; else any. */
async function chooseAmong(sessions: Sessions, tokens: readonly string[]): Promise<Choice> {
  const genuine: ChosenToken[] = [];
  for (const token of tokens) {
    const parts = await sessions.readToken(token);
    if (parts !== undefined) genuine.push({ token, parts });
  }
  let expired: ChosenToken | undefined;
  for (const chosen of genuine.length > 1 ? genuine : []) {
    const { state } = await sessions.find(chosen.parts);
    if (state === "live") return chosen;
    if (state === "expired") expired ??= chosen;
  }
  return expired ?? genuine[0];
}

/** Keeps the session in a scope up to date. */
class ScopeRenewal implements SessionWatcher {
  readonly #scope: SessionScope;

  constructor(scope: SessionScope) {
    this.#scope = scope;
  }

  sessionChanged(session: Session): void {
    Object.assign(this.#scope, { session });
    this.#scope.connection.scopeChanged(["session"]);
  }
}

function addSession<S>(
  scope: S & Scope,
  found: FoundSession,
  unknownAs: SessionState = "none",
): S & SessionScope {
  const session = found.state === "live" ? found.session : undefined;
  const sessionState: SessionState = found.state === "unknown" ? unknownAs : found.state;
  return Object.assign(scope, { session, sessionState });
}
