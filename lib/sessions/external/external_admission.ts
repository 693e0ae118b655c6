import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { Admission, Application, OriginScope, Scope } from "../../core/scope.ts";
import type { ConnectionRegistry } from "../connections/connection_registry.ts";
import { type SessionWatcher, subscriptionOf } from "../connections/session_subscription.ts";
import type { FoundSession, Session } from "../session.ts";
import {
  addSession,
  admitSession,
  type AdmittingSessions,
  type SessionScope,
} from "../with_session.ts";
import type { EndedSessions } from "./ended_sessions.ts";
import type { ExternalEnds } from "./external_ends.ts";
import type { ExternalTickets, Proof } from "./external_tickets.ts";
import type { IdentityChecks } from "./identity_checks.ts";
import { type KnownIdentity, saveScope } from "./identity.ts";

/** The parts of {@linkcode ExternalAdmission}. */
export interface ExternalAdmissionParts<U> {
  readonly connections: ConnectionRegistry;
  readonly checks: IdentityChecks<U>;
  readonly ended: EndedSessions;
  readonly ends: ExternalEnds;
  readonly tickets: ExternalTickets;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Admits connections with a session of the application.
 *
 * *Security*: the id of the session is known only after `identify()` has read it, so the connection is
 * subscribed to the session first, and then looks whether it has ended: an end before that is remembered,
 * and a later one is delivered.
 */
export class ExternalAdmission<U> {
  readonly #parts: ExternalAdmissionParts<U>;
  readonly #admitting: AdmittingSessions;

  constructor(parts: ExternalAdmissionParts<U>) {
    this.#parts = parts;
    const { connections, checks, log } = parts;
    const touch = (session: Session) => checks.touch(session);
    this.#admitting = { connections, touch, log, events: { caches: undefined } };
  }

  /** Identifies a connection, subscribes it to its session, and calls `next`. */
  async admit<S extends OriginScope>(
    scope: S,
    next: Application<S & SessionScope & { readonly user: U | undefined }>,
  ): Promise<Admission> {
    const proceed = (known: S & SessionScope) => {
      const user = known.session && this.#parts.checks.userOf(known.session);
      const identified = Object.assign(known, { user });
      if (user !== undefined) this.#watch(identified);
      return next(identified);
    };
    await this.#parts.ends.join();
    const since = this.#parts.ended.moment;
    const proof = scope.ticket === undefined
      ? { request: saveScope(scope) }
      : await this.#parts.tickets.find(scope, scope.ticket);
    const unknownAs = scope.ticket === undefined ? "none" : "ticket-invalid";
    const known = proof && await this.#parts.checks.identify(proof.request);
    if (proof === undefined || known === undefined || !isOf(known, proof)) {
      return await proceed(addSession(scope, { state: "unknown" }, unknownAs));
    }
    const { session } = known;
    if (this.#parts.clock.now() >= session.expiresAt) {
      return await proceed(addSession(scope, { state: "expired" }));
    }
    const isTaken = this.#endOther(session);
    const find = () => this.#find(scope, { session, proof, since, isTaken });
    const claim = { scope, id: session.id, find, unknownAs } as const;
    return await admitSession<S>(this.#admitting, claim, proceed);
  }

  /**
   * Called when the connection is subscribed to the session. From the first line on, ends of the session
   * and of its user reach the connection; earlier ones are remembered.
   */
  async #find(
    scope: Scope,
    { session, proof, since, isTaken }: {
      session: Session;
      proof: Proof;
      since: number;
      isTaken: boolean;
    },
  ): Promise<FoundSession> {
    this.#parts.connections.track(session);
    let live = session;
    for (let checks = -1; checks !== this.#parts.ends.checks;) {
      checks = this.#parts.ends.checks;
      const { isEnded, isUserEnded } = await this.#parts.ended.find(session, since);
      if (isEnded) return { state: "unknown" };
      if (!isUserEnded && !isTaken) continue;
      // The session may have ended, or be another user's, since it was identified.
      const again = await this.#parts.checks.identify(proof.request);
      if (again?.session.id !== session.id || again.session.userId !== session.userId) {
        return { state: "unknown" };
      }
      live = again.session;
    }
    const useTicket = () => this.#parts.tickets.use(proof);
    if (scope.type === "websocket" && !await useTicket()) return { state: "unknown" };
    if (scope.type === "http") Object.assign(scope, { useTicket });
    return { state: "live", session: live };
  }

  /**
   * Ends the connections of another user with the same session id, before the new user's connection is
   * subscribed to it. Returns whether there were any.
   */
  #endOther(session: Session): boolean {
    const { connections } = this.#parts;
    const known = connections.sessionOf(session.id);
    if (known === undefined || known.userId === session.userId) return false;
    connections.track(session);
    return true;
  }

  /** Keeps the user of a scope current. */
  #watch(scope: SessionScope & { readonly user: U | undefined }): void {
    const watcher: SessionWatcher = {
      sessionChanged: (session) => {
        const user = this.#parts.checks.userOf(session);
        if (user === undefined || isSame(user, scope.user)) return;
        Object.assign(scope, { user });
        scope.connection.scopeChanged(["user"]);
      },
    };
    subscriptionOf(scope.connection).watchers.add(watcher);
  }
}

/** Returns whether an identity is the one that a ticket was issued to. */
function isOf<U>({ session }: KnownIdentity<U>, { claims }: Proof): boolean {
  return claims === undefined ||
    (claims.sessionId === session.id && claims.userId === session.userId);
}

/** Users that JSON cannot express count as changed. */
function isSame(a: unknown, b: unknown): boolean {
  try {
    return a === b || JSON.stringify(a) === JSON.stringify(b);
  } catch {
    return false;
  }
}
