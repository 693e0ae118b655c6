import { createHash } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import type { Scope } from "../../core/scope.ts";
import type { KeyValue } from "../../kv/mod.ts";
import { Refusal } from "../../protocol/mod.ts";
import type { Session } from "../session.ts";
import type { ExternalSessionsOptions } from "./external_sessions_options.ts";
import type { SavedRequest } from "./identity.ts";

type Issuer = NonNullable<ExternalSessionsOptions["tickets"]>;

/** The request that proves a session, and the claims of the ticket that stands for it. */
export interface Proof {
  readonly request: SavedRequest;
  readonly claims?: Parameters<Issuer["use"]>[0];
}

/** Longest path of a ticket, in characters. */
const MAX_PATH_LENGTH = 1024;

/** How long the request behind a ticket is kept, in milliseconds: longer than the ticket is valid. */
const KEEP_MS = 90_000;

/** Most requests that a process keeps without a database. */
const MAX_KEPT = 10_000;

/**
 * Tickets for sessions of the application. The request that asked for a ticket is kept, so that
 * `identify()` can read it again when the ticket is used: in the database if there is one, else in this
 * process.
 *
 * *Security*: the request has cookies. It is stored encrypted with a key that only the ticket contains.
 */
export class ExternalTickets {
  readonly #issuer: Issuer | undefined;
  readonly #kv: KeyValue | undefined;
  readonly #prefix: readonly string[];
  readonly #clock: Clock;
  readonly #kept = new Map<string, { readonly sealed: Uint8Array; readonly until: number }>();

  constructor(
    issuer: Issuer | undefined,
    options: { kv: KeyValue | undefined; name: string; clock: Clock },
  ) {
    this.#issuer = issuer;
    this.#kv = options.kv;
    this.#prefix = [options.name, "ticket_requests"];
    this.#clock = options.clock;
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
    await this.#keep(issued.ticket, request);
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
      const request = claims && await this.#request(ticket);
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

  /** Keeps the request of a ticket. */
  async #keep(ticket: string, request: SavedRequest): Promise<void> {
    const sealed = await seal(ticket, JSON.stringify(request));
    const id = idOf(ticket);
    if (this.#kv !== undefined) {
      await this.#kv.set([...this.#prefix, id], sealed, { expireInMs: KEEP_MS });
      return;
    }
    const now = this.#clock.now();
    for (const [oldest, { until }] of this.#kept) {
      if (now < until && this.#kept.size < MAX_KEPT) break;
      this.#kept.delete(oldest);
    }
    this.#kept.set(id, { sealed, until: now + KEEP_MS });
  }

  /** Returns the request of a ticket, if it is known. */
  async #request(ticket: string): Promise<SavedRequest | undefined> {
    const id = idOf(ticket);
    const sealed = this.#kv === undefined
      ? this.#kept.get(id)?.sealed
      : (await this.#kv.get<Uint8Array>([...this.#prefix, id])).value;
    return sealed && JSON.parse(await unseal(ticket, sealed));
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

function idOf(ticket: string): string {
  return createHash("sha256").update(`id ${ticket}`).digest("base64url");
}

/** A key encrypts one text only, so its initialization vector can be constant. */
const ALGORITHM = { name: "AES-GCM", iv: new Uint8Array(12) };

async function keyOf(ticket: string): Promise<CryptoKey> {
  const bytes = createHash("sha256").update(`key ${ticket}`).digest();
  return await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

async function seal(ticket: string, text: string): Promise<Uint8Array> {
  const key = await keyOf(ticket);
  return new Uint8Array(
    await crypto.subtle.encrypt(ALGORITHM, key, new TextEncoder().encode(text)),
  );
}

async function unseal(ticket: string, sealed: Uint8Array): Promise<string> {
  const key = await keyOf(ticket);
  return new TextDecoder().decode(
    await crypto.subtle.decrypt(ALGORITHM, key, new Uint8Array(sealed)),
  );
}
