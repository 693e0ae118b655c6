import { guarded } from "../core/guards.ts";
import type { Admission, Application, Middleware, OriginScope, Scope } from "../core/scope.ts";
import { andThen, isPromise } from "../core/promises.ts";
import { Refusal } from "../protocol/mod.ts";
import { isSecure } from "./cookie.ts";
import { credentialOf } from "./credential.ts";
import type { SessionSubscription, SessionWatcher } from "./live/registry_entry.ts";
import type { FoundSession, Session } from "./session.ts";
import type { SessionToken } from "./tokens/session_token.ts";
import type { Sessions } from "./sessions.ts";
import { sessionListenersOf } from "./live/watch_session.ts";

/**
 * The state of a connection's session. `none`: no cookie, or an unknown one; `ticket-invalid`: the
 * ticket offered instead of a cookie was not valid.
 */
export type SessionState = "live" | "expired" | "none" | "ticket-invalid";

/** What {@linkcode withSession} adds to the scope. */
export interface SessionScope extends Scope {
  /** Defined exactly if `sessionState` is `live`. */
  readonly session: Session | undefined;
  readonly sessionState: SessionState;
}

/** `Retry-After` when the store cannot be reached, in seconds. */
const RETRY_AFTER_SECONDS = 5;

/**
 * Finds the session of a connection by its cookie, and binds the connection to it: when the session
 * ends for any reason, the connection ends with 4401. When it is renewed or rotated,
 * `scope.session` is replaced and the consumer's `scopeChanged()` is called.
 *
 * Anonymous connections pass; `requireUser` refuses them. At most one read of the store, none if
 * the session is in the read cache, and at most one write an hour to renew the session. Refuses
 * with `UNAVAILABLE` if the store cannot be reached.
 *
 * *Security*: the cookie is named `__Host-session` if `scope.url` is https, else `session`. If
 * several cookies have the name, the first valid one counts, of up to five. If the request also has
 * a bearer token, the cookie is ignored; the token itself opens no socket. If a ticket was offered,
 * the cookie is ignored too, because a ticket needs no `Origin`. The connection is bound to the
 * session before the session is read, so that its end in between is not missed.
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
 * The middleware of {@linkcode withSession} for a `stack()`: finds the session by its cookie and
 * binds the connection to it.
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

/** A connection and the way to find its session. */
export interface SessionClaim<S> {
  readonly scope: S & Scope;
  /** The id of the claimed session. */
  readonly id: string;
  /** Checks the proof and reads the session. */
  readonly find: () => Promise<FoundSession>;
  /** Checks the proof and returns the session if that needs neither a read nor a renewal. */
  readonly recall?: () => Session | undefined;
  /** The state reported for an unknown session. @default {"none"} */
  readonly unknownAs?: SessionState;
}

/**
 * Binds a connection to a session, reads and renews the session, and calls `next`:
 * {@linkcode withSession} for proofs other than a cookie.
 */
export function admitSession<S>(
  sessions: Sessions,
  claim: SessionClaim<S>,
  next: Application<S & SessionScope>,
): Admission | Promise<Admission> {
  const { scope, id } = claim;
  const tie = sessionListenersOf(scope.connection);
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
  binding: SessionSubscription,
  admission: Promise<Admission>,
): Promise<Admission> {
  try {
    return admitted(binding, await admission);
  } catch (error) {
    binding.release();
    throw error;
  }
}

/** Unbinds a connection that was refused, or must be because its session has ended meanwhile. */
function admitted(binding: SessionSubscription, admission: Admission): Admission {
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
 * Finds and renews the session of a request by its bearer token or its cookies:
 * {@linkcode withSession} for pages and APIs.
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
 * Finds and renews the session of a request by the given tokens: the first live session counts. For
 * callers that choose which credentials of {@linkcode credentialOf} they accept.
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
    // The session is live: a failed renewal only shortens it, and is not a reason to refuse.
    sessions.log.warn("a session could not be renewed", { session: found.session.id, error });
    return found;
  }
}

function unavailable({ log }: Sessions, error: unknown): Refusal {
  log.error("sessions cannot be read", { error });
  return new Refusal("UNAVAILABLE", { retryAfterSeconds: RETRY_AFTER_SECONDS, cause: error });
}

/** A token written by a server with this store. */
interface ChosenToken {
  readonly token: string;
  readonly parts: SessionToken;
}

type Choice = ChosenToken | undefined | Refusal;

/** Returns the token that counts, synchronously unless a read is needed. */
function chooseToken(sessions: Sessions, tokens: readonly string[]): Choice | Promise<Choice> {
  const [token] = tokens;
  if (token === undefined) return undefined;
  const choice = tokens.length === 1
    ? andThen(sessions.readToken(token), (parts) => parts && { token, parts })
    : chooseAmong(sessions, tokens);
  return isPromise(choice) ? choice.catch((error) => unavailable(sessions, error)) : choice;
}

/** Chooses the first token of a live session, else the first of an expired one, else any. */
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

/** Keeps the session in a scope current. */
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
