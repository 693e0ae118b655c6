import type { Clock } from "../../core/clock.ts";
import type { Scope } from "../../core/scope.ts";
import type { KeyValue } from "../../kv/mod.ts";
import { Refusal } from "../../protocol/mod.ts";
import type { Session } from "../session.ts";
import type { SavedRequest } from "./saved_request.ts";
import { TicketRequests } from "./ticket_requests.ts";

/** What a ticket is bound to. */
interface Binding {
  readonly path: string;
  readonly origin: string | undefined;
}

/** The claims of a genuine ticket. */
interface Claims {
  readonly id: string;
  readonly sessionId: string;
  readonly userId: string;
  readonly expiresAt: number;
}

/** The part of `Tickets` that is used here. */
interface TicketIssuer {
  issue(
    session: Session,
    binding: Binding,
  ): Promise<{ readonly ticket: string; readonly expiresAt: number }>;
  verify(
    ticket: string,
    binding: Binding,
    options?: { refused?: (reason: string) => void },
  ): Promise<Claims | undefined>;
  use(claims: Claims): Promise<boolean>;
}

/** The request that proves a session, and the claims of the ticket that stands for it. */
export interface Proof {
  readonly request: SavedRequest;
  readonly claims?: Claims;
}

/** Longest path of a ticket, in characters. */
const MAX_PATH_LENGTH = 1024;

/** Tickets for sessions of the application. */
export class ExternalTickets {
  readonly #issuer: TicketIssuer | undefined;
  readonly #requests: TicketRequests;

  constructor(
    issuer: TicketIssuer | undefined,
    options: { kv: KeyValue | undefined; name: string; clock: Clock },
  ) {
    this.#issuer = issuer;
    const prefix = [options.name, "ticket_requests"];
    this.#requests = new TicketRequests(options.kv, { prefix, clock: options.clock });
  }

  /**
   * Issues a ticket.
   *
   * @throws {TypeError} The path is invalid, or there is no issuer.
   */
  async issue(
    session: Session,
    { path, request }: { path: string; request: SavedRequest },
  ): Promise<{ readonly ticket: string; readonly expiresAt: number }> {
    if (this.#issuer === undefined) {
      throw new TypeError("Cannot issue a ticket: the option `tickets` is missing");
    }
    const [, origin] = request.headers.find(([name]) => name === "origin") ?? [];
    const issued = await this.#issuer.issue(session, { path: readPath(path), origin });
    await this.#requests.keep(issued.ticket, request);
    return issued;
  }

  /**
   * Verifies the ticket of a connection, and returns the request that asked for it, as if it had been
   * sent to the address of the connection.
   */
  async find(scope: Scope, ticket: string): Promise<Proof | undefined> {
    const { log } = scope.connection;
    const refused = (reason: string) =>
      log.debug("a ticket was refused", { connection: scope.id, reason });
    try {
      const binding = { path: scope.path, origin: scope.headers.get("origin") ?? undefined };
      const claims = await this.#issuer?.verify(ticket, binding, { refused });
      const request = claims && await this.#requests.find(ticket);
      return request && { claims, request: { url: scope.url.href, headers: request.headers } };
    } catch (error) {
      log.error("a ticket cannot be read", { error });
      throw new Refusal("UNAVAILABLE", { retryAfterSeconds: 5, cause: error });
    }
  }

  /** Uses up the ticket of a proof. Returns false if it was used before. */
  async use({ claims }: Proof): Promise<boolean> {
    return claims === undefined || await this.#issuer!.use(claims);
  }
}

/** Refuses paths that a socket cannot have: a ticket would be bound to another path than was given. */
function readPath(path: string): string {
  if (path.length > MAX_PATH_LENGTH || !/^\/[^/\\]/.test(path)) {
    throw new TypeError("The path of a ticket must start with / and have 2 to 1024 characters");
  }
  const base = "http://localhost";
  if (!URL.canParse(path, base) || new URL(path, base).href !== base + path || /[?#]/.test(path)) {
    throw new TypeError(
      "The path of a ticket must be as in a URL: percent-encoded, without .., query and fragment",
    );
  }
  return path;
}
