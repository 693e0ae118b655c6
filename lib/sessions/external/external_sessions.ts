import { type Clock, systemClock } from "../../core/clock.ts";
import { consoleLog } from "../../core/log.ts";
import type { Freshness } from "../../core/freshness.ts";
import { type Application, guarded, type Middleware, type OriginScope } from "../../core/scope.ts";
import { ConnectionRegistry } from "../connections/connection_registry.ts";
import type { Session, SessionEndReason } from "../session.ts";
import type { SessionScope } from "../with_session.ts";
import { EndedSessions } from "./ended_sessions.ts";
import { type EndMessage, readReason } from "./end_message.ts";
import { ExternalAdmission } from "./external_admission.ts";
import { ExternalEnds } from "./external_ends.ts";
import {
  type ExternalRules,
  type ExternalSessionsOptions,
  readExternalRules,
} from "./external_sessions_options.ts";
import { ExternalTickets } from "./external_tickets.ts";
import { IdentityChecks } from "./identity_checks.ts";
import { readId, readTime, saveRequest } from "./identity.ts";

/** The shortest time that an ended session is remembered, in milliseconds. */
const MIN_REMEMBERED_MS = 60_000;

/**
 * Sockets for sessions that the application keeps itself: with a library, a framework, or another
 * service. The application says whose request it is, and when a session has ended; everything else
 * works as with {@linkcode Sessions}.
 *
 * A socket ends with 4401 when {@linkcode ended} is called in any process, when `expiresAt` has come and
 * `identify()` does not return a later one, and when a regular check finds that `identify()` no longer
 * returns the session.
 *
 * *Security*: an ended session is refused for an hour, or until a given time, even if `identify()` still
 * returns it, as with a cache, a replica, or a signed token. An end during a handshake is not missed.
 *
 * @example
 * ```ts
 * import { ExternalSessions, origins, requireUser, stack } from "@sluice/sluice";
 * import assert from "node:assert/strict";
 *
 * const signedIn = new Map([["s1", { id: "ada", name: "Ada" }]]);
 * const sessions = new ExternalSessions({
 *   identify(request) {
 *     const sessionId = request.headers.get("cookie")?.split("sid=")[1] ?? "";
 *     const user = signedIn.get(sessionId);
 *     return user && { sessionId, userId: user.id, expiresAt: Date.now() + 3_600_000, user };
 *   },
 * });
 * const gate = stack().use(origins()).use(sessions.session()).use(requireUser());
 *
 * signedIn.delete("s1"); // The user signs out,
 * assert.equal(await sessions.ended("s1"), true); // and the sockets close.
 * sessions.close();
 * ```
 */
export class ExternalSessions<U extends { readonly id: string } = { readonly id: string }>
  implements Disposable {
  readonly #options: ExternalSessionsOptions<U>;
  readonly #rules: ExternalRules;
  readonly #clock: Clock;
  readonly #connections: ConnectionRegistry;
  readonly #ended: EndedSessions;
  readonly #checks: IdentityChecks<U>;
  readonly #ends: ExternalEnds;
  readonly #tickets: ExternalTickets;
  readonly #admission: ExternalAdmission<U>;

  /**
   * Connects to nothing before its first use.
   *
   * @throws {RangeError} A time is not a positive number, or the name is invalid.
   */
  constructor(options: ExternalSessionsOptions<U>) {
    const rules = this.#rules = readExternalRules(options);
    const { kv, layer, log = consoleLog, identify } = this.#options = options;
    const clock = this.#clock = options.clock ?? systemClock;
    const keyOf = (kind: string, id: string) => [rules.name, `ended_${kind}`, id];
    const ended = this.#ended = new EndedSessions(kv, { keyOf, clock });
    const expired = (session: Session) => this.#record(session, "expired");
    const checks = this.#checks = new IdentityChecks({ identify, ended, clock, log, expired });
    const connections = this.#connections = new ConnectionRegistry(checks, { clock, log });
    checks.attach(connections);
    const apply = (message: EndMessage) => this.#apply(message);
    this.#ends = new ExternalEnds({ ...rules, connections, kv, layer, keyOf, clock, log, apply });
    this.#tickets = new ExternalTickets(options.tickets, { kv, name: rules.name, clock });
    const parts = { connections, checks, ended, ends: this.#ends, tickets: this.#tickets };
    this.#admission = new ExternalAdmission({ ...parts, clock, log });
  }

  /**
   * Tells whether the ends of other processes are applied; set with a database. Pass it to
   * `toHandler()`, so that a process that was suspended delivers nothing before it has caught up.
   */
  get freshness(): Freshness | undefined {
    return this.#ends.freshness;
  }

  /**
   * The middleware for a `stack()`: replaces `session()` and `user()`. Finds the session and the user of
   * a connection by its ticket if it offers one, else with `identify()`.
   *
   * Anonymous connections pass; `requireUser()` refuses them.
   */
  session(): Middleware<OriginScope, SessionScope & { readonly user: U | undefined }> {
    return (next) => {
      type Next = Application<OriginScope & SessionScope & { readonly user: U | undefined }>;
      const application: Application<OriginScope> = (scope) =>
        this.#admission.admit(scope, next as Next);
      return guarded(application, next, "session");
    };
  }

  /**
   * Ends a session: its sockets close in this process at once, and in all others. Until `until`, by
   * default for an hour, the session is refused even if `identify()` returns it. Repeated calls have no
   * further effect.
   *
   * Returns true if all processes are certain to learn of it. Otherwise the database or the layer could
   * not be reached, and this process repeats it until it succeeds.
   *
   * @param options.reason The close reason, and the code in the audit log. @default {"signed-out"}
   * @param options.until A time that is past, or less than a minute away, means a minute: a handshake
   * may have read the session before.
   * @throws {TypeError} The id, the reason or the time is invalid.
   */
  async ended(
    sessionId: string,
    options: { readonly reason?: SessionEndReason; readonly until?: number | Date } = {},
  ): Promise<boolean> {
    const { until } = options;
    const reason = readReason(options.reason ?? "signed-out");
    const now = this.#clock.now();
    const keepMs = until === undefined
      ? this.#rules.rememberEndedMs
      : Math.max(MIN_REMEMBERED_MS, readTime(until, "until") - now);
    const id = readId(sessionId, "sessionId");
    const message = {
      type: "ended",
      sessionId: id,
      userId: "",
      reason,
      until: now + keepMs,
    } as const;
    this.#apply(message);
    return await this.#ends.pass(message, keepMs);
  }

  /**
   * Ends all sockets of a user, as {@linkcode ended} does for a session. Call it after the sessions have
   * been deleted: a session without open sockets is not remembered, so `identify()` decides about it.
   *
   * @param options.reason The close reason, and the code in the audit log. @default {"revoked"}
   * @throws {TypeError} The id or the reason is invalid.
   */
  async endedUser(
    userId: string,
    options: { readonly reason?: SessionEndReason } = {},
  ): Promise<boolean> {
    const reason = readReason(options.reason ?? "revoked");
    const message = { type: "user-ended", userId: readId(userId, "userId"), reason } as const;
    this.#apply(message);
    return await this.#ends.pass(message, this.#rules.rememberEndedMs);
  }

  /**
   * Issues a ticket for one socket to the client of a request, for clients that cannot send the cookie.
   * It is bound to the path, to the session and to the `Origin` of the request, and valid once, for 30 s.
   * Returns undefined if the request has no live session.
   *
   * When the ticket is used, `identify()` gets the headers of this request.
   *
   * *Security*: the route must check where the request comes from, as for any request with a cookie.
   *
   * @param path The path of the socket as in its URL, such as `/ws/chat`: percent-encoded, no query.
   * @throws {Refusal} `identify()` refused, failed (`UNAVAILABLE`) or is wrong (`INTERNAL`).
   * @throws {TypeError} The path is invalid, or the option `tickets` is missing.
   */
  async issueTicket(
    request: Request,
    path: string,
  ): Promise<{ readonly ticket: string; readonly expiresAt: number } | undefined> {
    const saved = saveRequest(request);
    const known = await this.#checks.identify(saved);
    if (known === undefined || this.#clock.now() >= known.session.expiresAt) return undefined;
    if (await this.#ended.isEnded(known.session.id)) return undefined;
    return await this.#tickets.issue(known.session, { path, request: saved });
  }

  /** Stops following other processes, and the checks. Open connections stay open. */
  close(): void {
    this.#ends.close();
  }

  /** Does the same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Applies an end in this process. */
  #apply(message: EndMessage): void {
    const { reason } = message;
    if (message.type === "ended") {
      this.#ended.add(message.sessionId, message.until);
      const session = this.#connections.sessionOf(message.sessionId);
      if (session !== undefined) this.#record(session, reason);
    } else {
      this.#ended.addUser(message.userId);
      const until = this.#clock.now() + this.#rules.rememberEndedMs;
      for (const { id, session } of this.#connections.ofUser(message.userId)) {
        this.#ended.add(id, until);
        this.#record(session!, reason);
      }
    }
    this.#connections.apply(message);
  }

  #record({ id: sessionId, userId }: Session, code: string): void {
    const event = { kind: "session-ended", sessionId, userId, code } as const;
    const name = `${this.#rules.name} ended ${sessionId}`;
    this.#options.audit?.writeOnce(name, event, this.#clock.now());
  }
}
