import { Refusal } from "../protocol/mod.ts";
import { guarded } from "../guards.ts";
import type { Admission, Application, Middleware, OriginScope, Scope } from "../scope.ts";
import {
  admitSession,
  type FoundSession,
  type Sessions,
  type SessionScope,
  withSession,
} from "../sessions/mod.ts";
import type { TicketClaims, Tickets } from "./tickets.ts";

/**
 * Finds the session of a connection by its ticket, where it offers one, else by its cookie: what
 * `withSession()` does, and tickets beside it.
 *
 * A ticket costs one read, that of the session, and one write, which decides who uses it. It is used
 * up by the first upgrade that shows it with its path, its origin and a session that lives, whatever
 * becomes of the upgrade further on; a plain request does not use it up.
 *
 * *Security*: a ticket with another path or origin is turned away before it can be used up. Where a
 * ticket was offered, the cookie is not looked at. `requireUser` says `TICKET_INVALID` for whatever
 * is wrong with it; the log says what, at `debug`.
 *
 * @example
 * ```ts
 * import { MemoryTicketStore, Tickets, withTickets } from "@sluice/sluice/auth";
 * import { MemorySessionStore, Sessions } from "@sluice/sluice/sessions";
 * import assert from "node:assert/strict";
 *
 * const sessions = new Sessions(new MemorySessionStore(), { log: console });
 * const tickets = new Tickets(new MemoryTicketStore());
 * const gate = withTickets(tickets, sessions, (scope) => new Response(scope.sessionState));
 * assert.equal(typeof gate, "function");
 * ```
 */
export function withTickets<S>(
  tickets: Tickets,
  sessions: Sessions,
  next: Application<S & SessionScope>,
): Application<S & OriginScope> {
  // It knows what to say where a ticket was offered that is no good.
  const withoutTicket = withSession<S>(sessions, next);
  const application: Application<S & OriginScope> = (scope) => {
    const { ticket } = scope;
    return ticket === undefined ? withoutTicket(scope) : admitTicket(scope, ticket);
  };
  return guarded(application, next, "session");

  async function admitTicket(scope: S & OriginScope, ticket: string): Promise<Admission> {
    const origin = scope.headers.get("origin") ?? undefined;
    const refused = (reason: string) =>
      scope.connection.log.debug("a ticket was refused", { connection: scope.id, reason });
    let claims: TicketClaims | undefined;
    try {
      claims = await tickets.verify(ticket, { path: scope.path, origin }, { refused });
    } catch (error) {
      scope.connection.log.error("the keys of tickets cannot be read", { error });
      return new Refusal("UNAVAILABLE", { retryAfterSeconds: 5, cause: error });
    }
    if (claims === undefined) return await withoutTicket(scope);
    const { sessionId: id } = claims;
    const find = () => findByTicket(scope, { tickets, sessions, claims, refused });
    const claim = { scope, id, find, unknownAs: "ticket-invalid" } as const;
    return await admitSession(sessions, claim, next);
  }
}

/**
 * The middleware of {@linkcode withTickets} for a `stack()`: in the place of `session()`, for clients
 * that may bring a ticket instead of the cookie.
 *
 * @example
 * ```ts
 * import { MemoryTicketStore, sessionOrTicket, Tickets } from "@sluice/sluice/auth";
 * import { stack } from "@sluice/sluice/routing";
 * import { origins } from "@sluice/sluice/security";
 * import { MemorySessionStore, Sessions } from "@sluice/sluice/sessions";
 *
 * const sessions = new Sessions(new MemorySessionStore(), { log: console });
 * const tickets = new Tickets(new MemoryTicketStore());
 * const known = stack().use(origins()).use(sessionOrTicket({ sessions, tickets }));
 * ```
 */
export function sessionOrTicket(
  { sessions, tickets }: { readonly sessions: Sessions; readonly tickets: Tickets },
): Middleware<OriginScope, SessionScope> {
  return (next) => withTickets(tickets, sessions, next);
}

async function findByTicket(
  scope: Scope,
  { tickets, sessions, claims, refused }: ShownTicket,
): Promise<FoundSession> {
  const found = await sessions.findById(claims.sessionId);
  if (found.state !== "live" || found.session.userId !== claims.userId) {
    refused("its session has ended");
    return { state: "unknown" };
  }
  const isGood = scope.type !== "websocket" || await tickets.use(claims);
  if (isGood) return found;
  refused("already used");
  return { state: "unknown" };
}

interface ShownTicket {
  readonly tickets: Tickets;
  readonly sessions: Sessions;
  readonly claims: TicketClaims;
  /** Learns why it was refused. */
  readonly refused: (reason: string) => void;
}
