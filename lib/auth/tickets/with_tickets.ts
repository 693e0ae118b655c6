import { Refusal } from "../../protocol/mod.ts";
import {
  type Admission,
  type Application,
  type Middleware,
  type OriginScope,
  type Scope,
} from "../../core/scope.ts";
import type { FoundSession, Sessions, SessionScope } from "../../sessions/mod.ts";
import { addSession, admitSession, withSession } from "../../sessions/with_session.ts";
import type { Tickets } from "./tickets.ts";

type TicketClaims = NonNullable<Awaited<ReturnType<Tickets["verify"]>>>;

/**
 * Finds the session of a connection by its ticket if it offers one, else by its cookie:
 * `withSession()` plus tickets.
 *
 * A ticket costs one read, of the session, and one write, which marks it as used. The first upgrade
 * with the ticket's path, its origin and a live session uses it up, even if the upgrade is refused
 * later on. A plain request uses it up if an `HttpConsumer` answers it, and not if it ends in 426.
 *
 * *Security*: a ticket with another path or origin is refused before it can be used up. If a ticket
 * was offered, the cookie is ignored. `requireUser` refuses every invalid ticket with
 * `TICKET_INVALID`; the log gives the reason, at `debug`.
 */
export function withTickets<S>(
  tickets: Tickets,
  sessions: Sessions,
  next: Application<S & SessionScope>,
): Application<S & OriginScope> {
  return withSession<S>(sessions, next, admitTicket);

  async function admitTicket(scope: S & OriginScope, ticket: string): Promise<Admission> {
    const origin = scope.headers.get("origin") ?? undefined;
    const refused = (reason: string) =>
      scope.connection.log.debug("a ticket was refused", { connection: scope.id, reason });
    let claims: TicketClaims | undefined;
    try {
      claims = await tickets.verify(ticket, { path: scope.path, origin }, { refused });
    } catch (error) {
      scope.connection.log.error("ticket keys cannot be read", { error });
      return new Refusal("UNAVAILABLE", { retryAfterSeconds: 5, cause: error });
    }
    if (claims === undefined) {
      return await next(addSession(scope, { state: "unknown" }, "ticket-invalid"));
    }
    const { sessionId: id } = claims;
    const find = () => findByTicket(scope, { tickets, sessions, claims, refused });
    const claim = { scope, id, find, unknownAs: "ticket-invalid" } as const;
    return await admitSession(sessions, claim, next);
  }
}

/**
 * The middleware of {@linkcode withTickets} for a `stack()`: replaces `session()` and also accepts
 * tickets instead of the cookie.
 *
 * @example
 * ```ts
 * import { MemorySessionStore, origins, Sessions, stack } from "@sluice/sluice";
 * import { sessionOrTicket, Tickets } from "@sluice/sluice/auth";
 * import { MemoryKeyValue } from "@sluice/sluice/kv";
 *
 * const sessions = new Sessions(new MemorySessionStore());
 * const tickets = new Tickets(new MemoryKeyValue());
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
  const use = async () => {
    const isGood = await tickets.use(claims);
    if (!isGood) refused("already used");
    return isGood;
  };
  if (scope.type === "websocket") return await use() ? found : { state: "unknown" };
  Object.assign(scope, { useTicket: use });
  return found;
}

interface ShownTicket {
  readonly tickets: Tickets;
  readonly sessions: Sessions;
  readonly claims: TicketClaims;
  /** Gets the reason of a refusal. */
  readonly refused: (reason: string) => void;
}
