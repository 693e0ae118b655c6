import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { attempt } from "../../core/promises.ts";
import { within } from "../../core/within.ts";
import { Refusal } from "../../protocol/mod.ts";
import type { ConnectionRegistry } from "../connections/connection_registry.ts";
import type { SessionSource } from "../connections/session_renewals.ts";
import type { FoundSession, Session } from "../session.ts";
import type { EndedSessions } from "./ended_sessions.ts";
import {
  type Identity,
  type KnownIdentity,
  readIdentity,
  type SavedRequest,
  toRequest,
} from "./identity.ts";

/** Returns the session and the user of a request; undefined if it has none. */
export type Identify<U> = (
  request: Request,
) => Identity<U> | undefined | null | Promise<Identity<U> | undefined | null>;

/** The parts of {@linkcode IdentityChecks}. */
export interface IdentityCheckParts<U> {
  readonly identify: Identify<U>;
  readonly ended: EndedSessions;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when a session with open connections is found expired. */
  readonly expired: (session: Session) => void;
}

/** What is known of a session beside the session itself. */
export interface SessionDetails<U> {
  readonly user: U;
  /** The request that proved the session. */
  readonly request: SavedRequest;
}

/** Limit for one call of `identify()`, in milliseconds. */
const TIMEOUT_MS = 5_000;

/** Most calls of `identify()` at once when all sessions are checked. */
const MAX_AT_ONCE = 16;

const UNKNOWN: FoundSession = Object.freeze({ state: "unknown" });
const EXPIRED: FoundSession = Object.freeze({ state: "expired" });

/**
 * Calls `identify()`: for the request of a handshake, and later with the same request, to learn whether
 * the session of open connections is still live.
 *
 * A call that fails or takes more than five seconds proves nothing: at a handshake it refuses the
 * client, and open connections stay open until `expiresAt`. Sessions are checked in the seconds before
 * that, so that a call that takes long does not keep a connection open.
 */
export class IdentityChecks<U> implements SessionSource {
  /** Messages on a socket do not extend a session of the application. */
  readonly renewEveryMs: number = Infinity;
  /** The first check may take its whole time, and the second finds late extensions. */
  readonly confirmBeforeMs: readonly number[] = [TIMEOUT_MS + 1_000, 1_000];
  readonly #parts: IdentityCheckParts<U>;
  readonly #details = new WeakMap<Session, SessionDetails<U>>();
  #connections: ConnectionRegistry | undefined;

  constructor(parts: IdentityCheckParts<U>) {
    this.#parts = parts;
  }

  /** Sets the registry, which needs this object first. */
  attach(connections: ConnectionRegistry): void {
    this.#connections = connections;
  }

  /**
   * Identifies a request.
   *
   * @throws {Refusal} `identify()` refused, failed (`UNAVAILABLE`) or is wrong (`INTERNAL`).
   */
  async identify(request: SavedRequest): Promise<KnownIdentity<U> | undefined> {
    const { clock, log } = this.#parts;
    let identity: unknown;
    try {
      const call = attempt(() => this.#parts.identify(toRequest(request)));
      identity = await within(call, { clock, ms: TIMEOUT_MS, late });
    } catch (error) {
      if (error instanceof Refusal) throw error;
      log.error("identify() failed", { error });
      throw new Refusal("UNAVAILABLE", { retryAfterSeconds: 5, cause: error });
    }
    if (!identity) return undefined; // Also `false` or an empty text, from `cookie && {…}`.
    try {
      const known = readIdentity<U>(identity, clock.now());
      this.#details.set(known.session, { user: known.user, request });
      return known;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error); // One line: no stack.
      log.error("identify() returned an invalid identity", { code: "IDENTITY_INVALID", reason });
      throw new Refusal("INTERNAL", { cause: error });
    }
  }

  /** Returns the user of a session that was identified here. */
  userOf(session: Session): U | undefined {
    return this.#details.get(session)?.user;
  }

  /** Reports a session that has ended at its deadline. */
  expired(session: Session): void {
    this.#parts.expired(session);
  }

  /** Checks a session that has expired since it was identified. */
  async get(id: string): Promise<Session | undefined> {
    const before = this.#connections?.sessionOf(id);
    let found: FoundSession | undefined;
    try {
      found = await this.#check(id);
    } finally {
      if (found?.state !== "live" && before !== undefined) this.#parts.expired(before);
    }
    if (found.state !== "live") return undefined;
    this.#connections?.track(found.session);
    return found.session;
  }

  /** Checks sessions, a few at a time. */
  async findMany(ids: readonly string[]): Promise<FoundSession[]> {
    const found: FoundSession[] = [];
    for (let at = 0; at < ids.length; at += MAX_AT_ONCE) {
      const batch = ids.slice(at, at + MAX_AT_ONCE);
      found.push(...await Promise.all(batch.map((id) => this.#checkSafely(id))));
    }
    return found;
  }

  /** Returns the session until its end, then does the same as {@linkcode get}. */
  async touch(session: Session): Promise<Session | undefined> {
    if (this.#parts.clock.now() < session.expiresAt) return session;
    return await this.get(session.id);
  }

  /** A failed check leaves a session as it is: its deadline ends it. */
  async #checkSafely(id: string): Promise<FoundSession> {
    try {
      return await this.#check(id);
    } catch {
      return EXPIRED;
    }
  }

  /** Rejects if the outcome is unknown. */
  async #check(id: string): Promise<FoundSession> {
    const { ended, clock } = this.#parts;
    if (await ended.isEnded(id)) return UNKNOWN;
    const session = this.#connections?.sessionOf(id);
    const details = session && this.#details.get(session);
    // Its handshake has yet to read it.
    if (session === undefined || details === undefined) return EXPIRED;
    let found: KnownIdentity<U> | undefined;
    try {
      found = await this.identify(details.request);
    } catch (error) {
      if (error instanceof Refusal && error.code === "UNAVAILABLE") throw error;
      return UNKNOWN;
    }
    if (found?.session.id !== id || ended.hasHere(id)) return UNKNOWN;
    return clock.now() < found.session.expiresAt
      ? { state: "live", session: found.session }
      : UNKNOWN;
  }
}

function late(ms: number): Error {
  return new Error(`identify() did not answer within ${ms} ms`);
}
