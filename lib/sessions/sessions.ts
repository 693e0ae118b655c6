import type { Freshness } from "../core/freshness.ts";
import type { Log } from "../core/log.ts";
import { ConnectionRegistry } from "./connections/connection_registry.ts";
import { SessionEvents } from "./revocation/session_events.ts";
import type { FoundSession, Session, SessionEndReason, SessionEvent } from "./session.ts";
import { SessionLifecycle } from "./session_lifecycle.ts";
import { SessionLookup } from "./session_lookup.ts";
import { type NewSession, type SessionRecord, voidApprovals } from "./session_record.ts";
import { readRules, REMEMBER_MS, type SessionsOptions } from "./session_rules.ts";
import type { SessionStore } from "./session_store.ts";
import { isId, randomId } from "./tokens/secrets.ts";
import { SessionTokens } from "./tokens/session_tokens.ts";

/**
 * Creates, finds, renews and ends sessions. All rules are here; the store only stores.
 *
 * Lifetimes are checked against the clock at every read. Subscribers are notified of an end or a
 * renewal at once, after the store has confirmed it; {@linkcode connections} ends the connections.
 *
 * *Security*: a token is `id.secret` with a tag, see {@linkcode SessionTokens}; the store holds
 * only the SHA-256 of the secret (256 bits). Ids are not secret and prove nothing.
 *
 * @example
 * ```ts
 * import { MemorySessionStore, Sessions } from "@sluice/sluice";
 * import assert from "node:assert/strict";
 *
 * const sessions = new Sessions(new MemorySessionStore());
 * const { token } = await sessions.create({ userId: "u1", provider: "dev" });
 * assert.equal((await sessions.find(token)).state, "live");
 * ```
 */
export class Sessions implements Disposable {
  /** @internal The connections of this process by session. */
  readonly connections: ConnectionRegistry;
  /** @internal The path of events to caches, connections and listeners. */
  readonly events: SessionEvents;
  /** @internal Reads of sessions, and the proof of tokens. */
  readonly lookup: SessionLookup;
  /** @internal Writes and reads tokens. */
  readonly tokens: SessionTokens;
  /** The shortest time between two renewals of a session, in milliseconds. */
  readonly renewEveryMs: number;
  /** The `Max-Age` of the session cookie, in seconds: a day longer than any session lives. */
  readonly cookieMaxAgeSeconds: number;
  /** The log for problems with sessions. */
  readonly log: Log;
  readonly #store: SessionStore;
  readonly #lifecycle: SessionLifecycle;

  /**
   * Connects to nothing before its first use.
   *
   * @throws {RangeError} A lifetime is not a positive number of milliseconds.
   */
  constructor(store: SessionStore, options: SessionsOptions = {}) {
    const rules = readRules(options);
    const { lifetime: { maxTtlMs }, renewEveryMs, clock, log } = rules;
    this.#store = store;
    this.log = log;
    this.renewEveryMs = renewEveryMs;
    this.cookieMaxAgeSeconds = Math.ceil((maxTtlMs + REMEMBER_MS) / 1000);
    const { controlLog } = options;
    const connections = this.connections = new ConnectionRegistry(this, { clock, log });
    const events = this.events = new SessionEvents({ store, connections, controlLog, clock, log });
    const tokens = this.tokens = new SessionTokens(store, { clock, sessionTtlMs: maxTtlMs });
    const end = (id: string, reason: SessionEndReason) => this.end(id, reason);
    const parts = { ...rules, store, events, tokens, end };
    this.#lifecycle = new SessionLifecycle(parts);
    this.lookup = new SessionLookup(parts, this.#lifecycle);
  }

  /** Tells whether the applied events of other processes are fresh; set with a control log. */
  get freshness(): Freshness | undefined {
    return this.events.freshness;
  }

  /** Stops following other processes. Open connections stay open. */
  close(): void {
    this.events.close();
  }

  /** Does the same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Creates a session with a new id. The token is returned only here.
   *
   * The user agent is cut to 256 characters, without control characters. Past `maxPerUser` sessions
   * of one user and kind, the least recently used ones end.
   */
  create(request: NewSession): Promise<{
    readonly session: Session;
    /** *Security*: a credential; send it to the browser or client only. */
    readonly token: string;
  }> {
    return this.#lifecycle.create(request);
  }

  /**
   * Returns an id for a session that is created later. If the outcome of {@linkcode create} is
   * unknown, use the id to end the session.
   */
  reserveId(): string {
    return randomId();
  }

  /**
   * Finds the session of a token. One read of the store, or none if no server with this store wrote
   * the token, or if the session is in the read cache, see {@linkcode ReadCaches}. One write when a
   * renewed secret is first seen.
   *
   * *Security*: only a client with the secret learns that a session is `expired`. An ended session,
   * a wrong secret and a malformed token are all `unknown`. So is a replaced secret; its use means
   * that it was copied, and the session is ended as `stolen`.
   */
  find(token: string | undefined): Promise<FoundSession> {
    return this.lookup.find(token);
  }

  /** Finds sessions by their ids, as {@linkcode findById} does, in the order of `ids`. */
  findMany(ids: readonly string[]): Promise<FoundSession[]> {
    return this.lookup.findMany(ids);
  }

  /**
   * Finds a session by its id, for callers that have another proof than the token.
   *
   * *Security*: an id proves nothing.
   */
  findById(id: string): Promise<FoundSession> {
    return this.lookup.findById(id);
  }

  /** Returns a live session by its id. See {@linkcode findById}. */
  async get(id: string): Promise<Session | undefined> {
    const found = await this.findById(id);
    return found.state === "live" ? found.session : undefined;
  }

  /** Returns the live sessions of a user, oldest first. */
  list(userId: string): Promise<Session[]> {
    return this.lookup.list(userId);
  }

  /**
   * Records that a session was in use, now or at `seenAt`, and returns the updated session;
   * undefined if it has ended. Writes only if the session was not renewed within `renewEveryMs`.
   */
  touch(session: Session, options?: { seenAt?: number }): Promise<Session | undefined> {
    return this.#lifecycle.touch(session, options);
  }

  /**
   * Replaces the secret of a session and keeps everything else: its connections stay open. Returns
   * undefined if the session has ended. The previous secret is valid for `graceMs` more, for
   * requests in flight. @default {10_000}
   *
   * *Security*: use it when a token may have leaked. A sign-in always begins a new session instead.
   */
  rotate(
    id: string,
    options?: { graceMs?: number },
  ): Promise<Awaited<ReturnType<Sessions["create"]>> | undefined> {
    return this.#lifecycle.rotate(id, options);
  }

  /**
   * Replaces the secret of a token's session if it is older than `rotateAfterMs`; otherwise returns
   * undefined. Concurrent calls all get the same token; for one of them, it is marked as new.
   *
   * The previous secret stays valid until a request uses the new one, and for 10 s after that;
   * meanwhile, {@linkcode find} returns the token that replaces it. So a lost response does not
   * sign the user out.
   */
  renewSecret(session: Session, token: string): Promise<
    Awaited<ReturnType<Sessions["create"]>> & {
      /** Whether this call renewed it; false if another call did, whose response may be lost. */
      readonly isNew: boolean;
    } | undefined
  > {
    return this.#lifecycle.renewSecret(session, token);
  }

  /**
   * Ends a session and all its connections. Returns false if it does not exist, or belongs to a
   * user other than `userId`. `by` is the user who ends it, if it is someone else.
   */
  async end(
    id: string,
    reason: SessionEndReason,
    options: { userId?: string; by?: string | undefined } = {},
  ): Promise<boolean> {
    const { userId, by } = options;
    if (!isId(id)) return false;
    if (userId !== undefined && (await this.#store.get(id))?.userId !== userId) return false;
    const ending = ({ userId }: SessionRecord): SessionEvent => {
      return { type: "ended", sessionId: id, userId, reason, ...by === undefined ? {} : { by } };
    };
    const record = await this.#store.delete(id, ending);
    if (record === undefined) return false;
    this.events.written(ending(record));
    return true;
  }

  /**
   * Ends the sessions of a user, except `except`; `by` is the user who ends them. Returns their
   * number.
   *
   * Sessions end one by one: after an error, some may have ended, and those were announced. Calling
   * it again ends the others. Earlier approvals of `except`, such as for a program that has not
   * fetched its token yet, are void.
   */
  async endAll(
    userId: string,
    options: { except?: string | undefined; reason?: SessionEndReason; by?: string } = {},
  ): Promise<number> {
    const { except, reason = "revoked", by } = options;
    // Void approvals first: a session that one of them still creates is on the list below.
    if (except !== undefined) {
      await this.#store.update(except, (kept) => voidApprovals(kept, userId));
    }
    let ended = 0;
    for (const { id } of await this.#store.list(userId)) {
      if (id !== except && await this.end(id, reason, { by })) ended++;
    }
    return ended;
  }

  /**
   * Calls `listener` once for every end and renewal that this object causes, in the turn in which
   * the store confirms it; with a control log, even if the call has failed by then. Returns a
   * function that unsubscribes. Errors of a listener are logged.
   */
  subscribe(listener: (event: SessionEvent) => void): () => void {
    return this.events.subscribe(listener);
  }

  /**
   * Calls `listener` when a session is found expired: at its end while connections are open, else
   * when a request presents it. Once per session, as far as this process remembers; other processes
   * may report it as well. Returns a function that unsubscribes.
   */
  onExpired(listener: (session: Session) => void): () => void {
    return this.events.onExpired(listener);
  }
}
