import { errors, jwtVerify, SignJWT } from "jose";
import { type Clock, systemClock } from "../../core/clock.ts";
import { normalizePath } from "../../core/request_values.ts";
import type { KeyValue } from "../../kv/mod.ts";
import type { Session } from "../../sessions/mod.ts";
import { isId, randomId } from "../../sessions/tokens/secrets.ts";
import { TicketKeys } from "./ticket_keys.ts";
import { KvTicketStore } from "./kv_ticket_store.ts";

const TYPE = "sluice-ticket+jwt";
const AUDIENCE = "sluice.socket";
const ALGORITHM = "HS256";

/** How long a ticket is valid, in milliseconds. */
const LIFETIME_MS = 30_000;

/** How long a used ticket is remembered after its expiry, in milliseconds: clocks may differ. */
const REMEMBER_MS = 60_000;

/** Longest ticket that is checked, in characters. */
const MAX_LENGTH = 4_096;

/**
 * Tickets: signed credentials for one socket, for clients that cannot send a cookie.
 *
 * A ticket is a JWT (HS256): valid for 30 s, for one use, for one path, one session, and the origin
 * that asked for it.
 *
 * *Security*: clients do not learn which check failed. The algorithm, `typ`, `aud`, `exp`, `jti`
 * and `kid` are required; times are whole seconds, so a ticket may expire up to a second early.
 *
 * @example
 * ```ts
 * import { MemorySessionStore, Sessions } from "@sluice/sluice";
 * import { Tickets } from "@sluice/sluice/auth";
 * import { MemoryKeyValue } from "@sluice/sluice/kv";
 * import assert from "node:assert/strict";
 *
 * const sessions = new Sessions(new MemorySessionStore());
 * const { session } = await sessions.create({ userId: "u1", provider: "dev" });
 * const tickets = new Tickets(new MemoryKeyValue());
 * const binding = { path: "/ws/echo", origin: undefined };
 * const { ticket } = await tickets.issue(session, binding);
 * const claims = await tickets.verify(ticket, binding);
 * assert.equal(claims?.sessionId, session.id);
 * assert.equal(await tickets.use(claims!), true);
 * assert.equal(await tickets.use(claims!), false);
 * ```
 */
export class Tickets {
  readonly #store: KvTicketStore;
  readonly #keys: TicketKeys;
  readonly #clock: Clock;

  /**
   * Creates an issuer.
   *
   * @param kv Keeps the keys and the used tickets; processes that share it accept each other's tickets.
   */
  constructor(kv: KeyValue, { clock = systemClock }: { readonly clock?: Clock } = {}) {
    this.#store = new KvTicketStore(kv, { clock });
    this.#clock = clock;
    this.#keys = new TicketKeys(this.#store, clock);
  }

  /** Issues a ticket for a live session, bound to a path and an origin. Rejects if the database cannot be reached. */
  async issue(session: Session, { path, origin }: {
    /** The path of the socket, percent-encoded, without query. */
    readonly path: string;
    /** The `Origin` of the request that asked for the ticket; undefined if it had none. */
    readonly origin: string | undefined;
  }): Promise<{
    /** *Security*: a credential. Never log it. */
    readonly ticket: string;
    /** In milliseconds since the epoch. */
    readonly expiresAt: number;
  }> {
    const { id: kid, key } = await this.#keys.current();
    const now = Math.floor(this.#clock.now() / 1000);
    const expiresAt = now * 1000 + LIFETIME_MS;
    const ticket = await new SignJWT({
      sid: session.id,
      path: normalizePath(path),
      origin: origin ?? null,
    })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid })
      .setSubject(session.userId)
      .setAudience(AUDIENCE)
      .setJti(randomId())
      .setIssuedAt(now)
      .setExpirationTime(expiresAt / 1000)
      .sign(key);
    return { ticket, expiresAt };
  }

  /**
   * Returns the claims of a genuine ticket, which may have been used already; undefined if it is not genuine, expired, or bound to something else.
   * Reads the database only for a key that this process has not seen.
   *
   * *Security*: `refused` gets the reason, for a log. Never send it to the client.
   */
  async verify(
    ticket: string,
    { path, origin }: Parameters<Tickets["issue"]>[1],
    { refused = () => {} }: { refused?: (reason: string) => void } = {},
  ): Promise<
    {
      /** Identifies the ticket; each is accepted once. */
      readonly id: string;
      /** The session that requested it. */
      readonly sessionId: string;
      /** The user of the session. */
      readonly userId: string;
      /** When it expires, in milliseconds since the epoch. */
      readonly expiresAt: number;
    } | undefined
  > {
    const payload = await this.#read(ticket, refused);
    if (payload === undefined) return undefined;
    const { jti = "", sub = "", sid, exp = 0, path: itsPath, origin: itsOrigin } = payload;
    if (!isId(jti) || typeof sid !== "string") return void refused("not genuine");
    if (itsPath !== normalizePath(path)) return void refused("requested for another path");
    if (itsOrigin !== (origin ?? null)) return void refused(whyOtherOrigin(itsOrigin, origin));
    return { id: jti, sessionId: sid, userId: sub, expiresAt: exp * 1000 };
  }

  /**
   * Marks a ticket as used. Resolves to true for exactly one of all calls, over all processes;
   * rejects if the database cannot be reached.
   */
  use(
    { id, expiresAt }: { readonly id: string; readonly expiresAt: number },
  ): Promise<boolean> {
    return this.#store.use(id, expiresAt + REMEMBER_MS);
  }

  async #read(ticket: string, refused: (reason: string) => void) {
    if (ticket.length > MAX_LENGTH) return void refused("not genuine");
    const key = async ({ kid }: { kid?: string }) => {
      const found = kid !== undefined && isId(kid) ? await this.#keys.find(kid) : undefined;
      if (!found) throw new errors.JWKSNoMatchingKey();
      return found;
    };
    try {
      const { payload } = await jwtVerify(ticket, key, {
        algorithms: [ALGORITHM],
        typ: TYPE,
        audience: AUDIENCE,
        requiredClaims: ["exp", "jti", "sub", "sid", "path", "origin"],
        currentDate: new Date(this.#clock.now()),
      });
      return payload;
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      return void refused(error instanceof errors.JWTExpired ? "expired" : "not genuine");
    }
  }
}

function whyOtherOrigin(asked: unknown, shown: string | undefined): string {
  if (asked === null) return "requested without an Origin, used with one";
  return shown === undefined
    ? "requested with an Origin, used without one"
    : "requested by another Origin";
}
