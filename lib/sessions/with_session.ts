import {
  type Admission,
  type Application,
  guarded,
  type Middleware,
  type OriginScope,
  type Scope,
} from "../core/scope.ts";
import { andThen, isPromise } from "../core/promises.ts";
import { Refusal } from "../protocol/mod.ts";
import type { SessionSubscription } from "./connections/session_subscription.ts";
import { credentialOf, isSecure } from "./credential.ts";
import { readAndRenew, unavailable } from "./find_session.ts";
import type { SessionEvents } from "./revocation/session_events.ts";
import type { FoundSession, Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

/** What {@linkcode withSession} adds to the scope. */
export interface SessionScope extends Scope {
  /** Defined exactly if `sessionState` is `live`. */
  readonly session: Session | undefined;
  /**
   * Why there is no session, or `live`. `none`: no cookie, or an unknown one; `ticket-invalid`: the
   * ticket offered instead of a cookie was not valid.
   */
  readonly sessionState: "live" | "expired" | "none" | "ticket-invalid";
}

/**
 * Finds the session of a connection by its cookie, and subscribes to it: when the session ends for
 * any reason, the connection ends with 4401. When it is renewed or rotated,
 * `scope.session` is replaced and the consumer's `scopeChanged()` is called.
 *
 * Anonymous connections pass; `requireUser` refuses them. At most one read of the store, none if
 * the session is in the read cache, and at most one write an hour to renew the session. Refuses
 * with `UNAVAILABLE` if the store cannot be reached.
 *
 * *Security*: the cookie is named `__Host-session` if `scope.url` is https, else `session`. If
 * several cookies have the name, the first valid one counts, of up to five. If the request also has
 * a bearer token, the cookie is ignored; the token itself opens no socket. If a ticket was offered,
 * the cookie is ignored too, because a ticket needs no `Origin`. The connection subscribes to
 * the session before the session is read, so that its end in between is not missed.
 *
 * @param admitTicket Decides about a request with a ticket. @default {the ticket is invalid}
 */
export function withSession<S>(
  sessions: Sessions,
  next: Application<S & SessionScope>,
  admitTicket: (scope: S & OriginScope, ticket: string) => Admission | Promise<Admission> = (
    scope,
  ) => next(addSession(scope, { state: "unknown" }, "ticket-invalid")),
): Application<S & OriginScope> {
  const application: Application<S & OriginScope> = (scope) => {
    const { ticket } = scope;
    if (ticket !== undefined) return admitTicket(scope, ticket);
    const credential = credentialOf(scope.headers, { secure: isSecure(scope.url) });
    const tokens = credential?.kind === "cookie" ? credential.tokens : [];
    return andThen(chooseToken(sessions, tokens), (chosen) => {
      if (chosen instanceof Refusal) return chosen;
      if (chosen === undefined) return next(addSession(scope, { state: "unknown" }));
      const { parts } = chosen;
      const find = () => sessions.lookup.find(parts);
      const recall = () => sessions.lookup.recall(parts);
      return admitSession(sessions, { scope, id: parts.id, find, recall }, next);
    });
  };
  return guarded(application, next, "session");
}

/**
 * The middleware of {@linkcode withSession} for a `stack()`: finds the session by its cookie and
 * subscribes the connection to it.
 *
 * @example
 * ```ts
 * import { MemorySessionStore, origins, session, Sessions, stack } from "@sluice/sluice";
 *
 * const sessions = new Sessions(new MemorySessionStore());
 * const known = stack().use(origins()).use(session(sessions));
 * ```
 */
export function session(sessions: Sessions): Middleware<OriginScope, SessionScope> {
  return (next) => withSession(sessions, next);
}

function chooseToken(sessions: Sessions, tokens: readonly string[]) {
  const choice = sessions.lookup.choose(tokens);
  return isPromise(choice) ? choice.catch((error) => unavailable(sessions, error)) : choice;
}

/** A connection and the way to find its session. */
export interface SessionClaim<S> {
  /** The scope of the connection. */
  readonly scope: S & Scope;
  /** The id of the claimed session. */
  readonly id: string;
  /** Checks the proof and reads the session. */
  readonly find: () => Promise<FoundSession>;
  /** Checks the proof and returns the session if that needs neither a read nor a renewal. */
  readonly recall?: () => Session | undefined;
  /** The state reported for an unknown session. @default {"none"} */
  readonly unknownAs?: SessionScope["sessionState"];
}

/** The part of {@linkcode Sessions} that admits connections. */
export type AdmittingSessions = Pick<Sessions, "connections" | "touch" | "log"> & {
  readonly events: Pick<SessionEvents, "caches">;
};

/**
 * Subscribes a connection to a session, reads and renews the session, and calls `next`:
 * {@linkcode withSession} for proofs other than a cookie.
 */
export function admitSession<S>(
  sessions: AdmittingSessions,
  claim: SessionClaim<S>,
  next: Application<S & SessionScope>,
): Admission | Promise<Admission> {
  const { scope, id } = claim;
  const subscription = sessions.connections.claim(id, scope.connection);
  subscription.caches = sessions.events.caches;
  try {
    const admission = andThen(findClaimed(sessions, claim), (found) => {
      if (found instanceof Refusal) return found;
      if (subscription.over) return Refusal.of("NOT_SIGNED_IN");
      if (found.state === "live") {
        subscription.prove();
        sessions.connections.track(found.session);
      } else subscription.release();
      subscription.scope = scope;
      return next(addSession(scope, found, claim.unknownAs));
    });
    return isPromise(admission)
      ? waitFor(subscription, admission)
      : admitted(subscription, admission);
  } catch (error) {
    subscription.release();
    throw error;
  }
}

async function waitFor(
  subscription: SessionSubscription,
  admission: Promise<Admission>,
): Promise<Admission> {
  try {
    return admitted(subscription, await admission);
  } catch (error) {
    subscription.release();
    throw error;
  }
}

/** Ends the subscription of a refused connection; refuses it if its session has ended meanwhile. */
function admitted(subscription: SessionSubscription, admission: Admission): Admission {
  if (subscription.over) admission = Refusal.of("NOT_SIGNED_IN");
  if (admission instanceof Response || admission instanceof Refusal) subscription.release();
  return admission;
}

function findClaimed<S>(
  sessions: AdmittingSessions,
  { recall, find }: SessionClaim<S>,
): FoundSession | Refusal | Promise<FoundSession | Refusal> {
  const session = recall?.();
  return session === undefined ? readAndRenew(sessions, find) : { state: "live", session };
}

/** Adds the session that was found to a scope, or the reason why there is none. */
export function addSession<S>(
  scope: S & Scope,
  found: FoundSession,
  unknownAs: SessionScope["sessionState"] = "none",
): S & SessionScope {
  const session = found.state === "live" ? found.session : undefined;
  const sessionState: SessionScope["sessionState"] = found.state === "unknown"
    ? unknownAs
    : found.state;
  return Object.assign(scope, { session, sessionState });
}
