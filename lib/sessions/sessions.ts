import { type Clock, systemClock } from "../core/clock.ts";
import type { Freshness } from "../core/freshness.ts";
import type { Log } from "../core/log.ts";
import { LogPoller } from "./revocation/log_poller.ts";
import type { ControlLog } from "./revocation/control_log.ts";
import { ConnectionRegistry } from "./live/connection_registry.ts";
import { createRecord, type NewSession, type NewToken, type RenewedToken } from "./new_session.ts";
import { outdateSession } from "./cache/outdate_session.ts";
import { Recollection } from "./cache/recollection.ts";
import { NotedExpiries } from "./live/noted_expiries.ts";
import {
  expiryOf,
  type FoundSession,
  type Session,
  type SessionEndReason,
  type SessionEvent,
  type SessionLifetime,
  toSession,
} from "./session.ts";
import { type AnyToken, SessionProofs } from "./tokens/session_proofs.ts";
import type { SessionRecord, SessionStore } from "./session_store.ts";
import { SharedFollower } from "./revocation/shared_follower.ts";
import { isId, randomId, randomSecret, type SessionToken } from "./tokens/session_token.ts";
import { SessionTokens } from "./tokens/session_tokens.ts";
import { TagKeys } from "./tokens/tag_keys.ts";

const HOUR_MS = 3_600_000;

/** How long an expired session is remembered, so that its user can be told that it expired. */
const REMEMBER_MS = 24 * HOUR_MS;

/** Options of {@linkcode Sessions}. */
export interface SessionsOptions {
  /** Idle time after which a session ends, in milliseconds. @default {604_800_000} (7 days) */
  readonly idleTtlMs?: number;
  /**
   * Time after sign-in at which a session ends in any case, in milliseconds. @default
   * {2_592_000_000} (30 days)
   */
  readonly maxTtlMs?: number;
  /** @default {systemClock} */
  readonly clock?: Clock;
  readonly log: Log;
  /** The log of events of all processes that share the database. */
  readonly controlLog?: ControlLog;
  /** Age at which a secret is replaced, in milliseconds. @default {86_400_000} (24 hours) */
  readonly rotateAfterMs?: number;
  /**
   * Most sessions of one user; a further sign-in ends the least recently used one. Browsers and
   * programs are counted separately. @default {100}
   */
  readonly maxPerUser?: number;
}

/**
 * Creates, finds, renews and ends sessions. All rules are here; the store only stores.
 *
 * Lifetimes are checked against the clock at every read. Subscribers are notified of an end or a
 * renewal at once, after the store has confirmed it; {@linkcode live} ends the connections.
 *
 * *Security*: a token is `id.secret` with a tag, see {@linkcode SessionTokens}; the store holds
 * only the SHA-256 of the secret (256 bits). Ids are not secret and prove nothing.
 *
 * @example
 * ```ts
 * import { MemorySessionStore, Sessions } from "@sluice/sluice/sessions";
 * import assert from "node:assert/strict";
 *
 * const sessions = new Sessions(new MemorySessionStore(), { log: console });
 * const { token } = await sessions.create({ userId: "u1", provider: "dev" });
 * assert.equal((await sessions.find(token)).state, "live");
 * ```
 */
export class Sessions {
  /** The connection registry: the connections of this process by session. */
  readonly live: ConnectionRegistry;
  /** The shortest time between two renewals of a session, in milliseconds. */
  readonly renewEveryMs: number;
  /** The log for problems with sessions. */
  readonly log: Log;
  /** Tells whether the applied events of other processes are fresh; set with a control log. */
  readonly freshness: Freshness | undefined;
  /** The read cache; set with a control log. */
  readonly recollection: Recollection | undefined;
  readonly #store: SessionStore;
  readonly #lifetime: SessionLifetime;
  readonly #clock: Clock;
  readonly #maxPerUser: number;
  readonly #tokens: SessionTokens;
  readonly #proofs: SessionProofs;
  /** Whether the control log announces this object's own writes. */
  readonly #isTold: boolean;
  readonly #unfollow: (() => void) | undefined;
  readonly #unsubscribe: (() => void) | undefined;
  readonly #follower: LogPoller | undefined;
  readonly #listeners = new Set<(event: SessionEvent) => void>();
  readonly #expiries: NotedExpiries;

  /** @throws {RangeError} A lifetime is not a positive number of milliseconds. */
  constructor(store: SessionStore, options: SessionsOptions) {
    const { idleTtlMs = 7 * 24 * HOUR_MS, maxTtlMs = 30 * 24 * HOUR_MS } = options;
    if (!(idleTtlMs > 0 && maxTtlMs > 0)) {
      throw new RangeError(`Lifetimes must be positive: idle ${idleTtlMs} ms, max ${maxTtlMs} ms`);
    }
    this.#store = store;
    this.#lifetime = { idleTtlMs, maxTtlMs };
    this.#clock = options.clock ?? systemClock;
    this.log = options.log;
    this.#expiries = new NotedExpiries(options.log);
    this.renewEveryMs = Math.min(HOUR_MS, idleTtlMs / 2);
    this.#maxPerUser = options.maxPerUser ?? 100;
    const keys = new TagKeys(store, { clock: this.#clock, sessionTtlMs: maxTtlMs });
    this.#tokens = new SessionTokens(keys);
    const tools = { clock: this.#clock, log: this.log };
    this.live = new ConnectionRegistry(this, tools);
    const { controlLog, rotateAfterMs = 24 * HOUR_MS } = options;
    if (controlLog !== undefined) {
      const follower = this.#follower = new LogPoller(controlLog, this.live, tools);
      const shared = new SharedFollower(follower);
      this.#unfollow = this.live.followWith(shared.share());
      this.freshness = follower;
      this.recollection = new Recollection({
        controlLog,
        follower: shared.share(),
        isCaughtUp: () => follower.isCaughtUp,
        clock: this.#clock,
      });
      this.live.tellFirst(this.recollection);
    }
    // This includes writes confirmed after their caller has given up.
    this.#unsubscribe = store.controlLog === controlLog
      ? controlLog?.subscribe?.((event) => {
        if (event.type === "ended" || event.type === "renewed") this.#emit(event);
      })
      : undefined;
    this.#isTold = this.#unsubscribe !== undefined;
    this.#proofs = new SessionProofs({
      ...tools,
      store,
      rotateAfterMs,
      tokens: this.#tokens,
      lifetime: this.#lifetime,
      recent: this.recollection?.of(store, outdateSession),
      found: (session) => this.#found(session),
      update: (id, change) => this.#update(id, change),
      endStolen: (id) => this.#end(id, "stolen"),
    });
  }

  /** Stops following other processes. Open connections stay open. */
  close(): void {
    this.#unfollow?.();
    this.#unsubscribe?.();
    this.recollection?.close();
  }

  /** The `Max-Age` of the session cookie, in seconds: a day longer than any session lives. */
  get cookieMaxAgeSeconds(): number {
    return Math.ceil((this.#lifetime.maxTtlMs + REMEMBER_MS) / 1000);
  }

  /**
   * Creates a session with a new id. The token is returned only here.
   *
   * The user agent is cut to 256 characters, without control characters. Past `maxPerUser` sessions
   * of one user and kind, the least recently used ones end.
   */
  async create(request: NewSession): Promise<NewToken> {
    const parts = { id: request.id ?? this.reserveId(), secret: randomSecret() };
    const token = await this.#tokens.write(parts);
    const record = this.#withForgetAt(createRecord(request, parts, this.#clock.now()));
    await this.#store.create(record);
    await this.#endSurplus(record);
    return { session: this.#toSession(record), token };
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
   * the token, or if the session is in the read cache, see {@linkcode Recollection}. One write when
   * a renewed secret is first seen.
   *
   * *Security*: only a client with the secret learns that a session is `expired`. An ended session,
   * a wrong secret and a malformed token are all `unknown`. So is a replaced secret; its use means
   * that it was copied, and the session is ended as `stolen`.
   */
  find(token: AnyToken): Promise<FoundSession> {
    return this.#proofs.find(token);
  }

  /**
   * Returns the session of a token if it is in the read cache, live, and not due for renewal: the
   * result of {@linkcode find} and {@linkcode touch} without waiting.
   */
  recall(token: AnyToken): Session | undefined {
    const session = this.#proofs.recall(token);
    return session && this.#isFresh(session) ? session : undefined;
  }

  /**
   * Parses a token, synchronously unless a key must be read. Returns undefined if no server with
   * this store wrote it. Proves nothing: see {@linkcode find}.
   */
  readToken(token: string): SessionToken | undefined | Promise<SessionToken | undefined> {
    return this.#tokens.read(token);
  }

  /** Finds sessions by their ids, as {@linkcode findById} does, in the order of `ids`. */
  async findMany(ids: readonly string[]): Promise<FoundSession[]> {
    const records = await this.#store.getMany(ids);
    return records.map((record) => this.#found(record && this.#toSession(record)));
  }

  /**
   * Finds a session by its id, for callers that have another proof than the token.
   *
   * *Security*: an id proves nothing.
   */
  async findById(id: string): Promise<FoundSession> {
    const record = isId(id) ? await this.#store.get(id) : undefined;
    return this.#found(record && this.#toSession(record));
  }

  /** Returns a live session by its id. See {@linkcode findById}. */
  async get(id: string): Promise<Session | undefined> {
    const found = await this.findById(id);
    return found.state === "live" ? found.session : undefined;
  }

  /**
   * Records that a session was in use, now or at `seenAt`, and returns the updated session;
   * undefined if it has ended. Writes only if the session was not renewed within `renewEveryMs`.
   */
  async touch(session: Session, options: { seenAt?: number } = {}): Promise<Session | undefined> {
    const now = this.#clock.now();
    const seenAt = Math.min(options.seenAt ?? now, now);
    if (this.#isFresh(session) && now < session.expiresAt) return session;
    const record = await this.#update(session.id, (stored) => this.#seen(stored, seenAt));
    const renewed = record && this.#toSession(record);
    if (!renewed || renewed.expiresAt <= now) return undefined;
    return renewed;
  }

  /**
   * Replaces the secret of a session and keeps everything else: its connections stay open. Returns
   * undefined if the session has ended. The previous secret is valid for `graceMs` more, for
   * requests in flight.
   *
   * *Security*: use it when a token may have leaked. A sign-in always begins a new session instead.
   */
  rotate(
    id: string,
    { graceMs = 10_000 }: { graceMs?: number } = {},
  ): Promise<NewToken | undefined> {
    return this.#proofs.replace(id, graceMs);
  }

  /**
   * Replaces the secret of a token's session if it is older than `rotateAfterMs`; otherwise returns
   * undefined. Concurrent calls all get the same token; for one of them, it is marked as new.
   *
   * The previous secret stays valid until a request uses the new one, and for 10 s after that;
   * meanwhile, {@linkcode find} returns the token that replaces it. So a lost response does not
   * sign the user out.
   */
  renewSecret(session: Session, token: string): Promise<RenewedToken | undefined> {
    return this.#proofs.renew(session, token);
  }

  /**
   * Ends a session and all its connections. Returns false if it does not exist, or belongs to a
   * user other than `userId`.
   */
  async end(
    id: string,
    reason: SessionEndReason,
    options: { userId?: string } = {},
  ): Promise<boolean> {
    if (!isId(id)) return false;
    if (options.userId !== undefined) {
      const record = await this.#store.get(id);
      if (record?.userId !== options.userId) return false;
    }
    return await this.#end(id, reason);
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
      if (id !== except && await this.#end(id, reason, by)) ended++;
    }
    return ended;
  }

  /** Returns the live sessions of a user, oldest first. */
  async list(userId: string): Promise<Session[]> {
    const now = this.#clock.now();
    const sessions = (await this.#store.list(userId)).map((record) => this.#toSession(record));
    return sessions.filter((session) => now < session.expiresAt);
  }

  /**
   * Announces that a user changed, or that all their sessions ended, after the user store has
   * confirmed it; the user store writes the event to the control log.
   */
  announce(event: SessionEvent & { readonly type: "user-changed" | "user-ended" }): void {
    this.#emit(event.type === "user-ended" ? { at: this.#clock.now(), ...event } : event);
  }

  /**
   * Handles a hint from another process. The hint is not trusted: it only triggers a read of the
   * control log, or of the store if there is no log.
   */
  heard(event: SessionEvent): void {
    if (this.#follower !== undefined) return this.#follower.look();
    this.live.confirm(event).catch((error) => {
      this.log.warn("a session event of another process cannot be confirmed", { error });
    });
  }

  /**
   * Calls `listener` once for every end and renewal that this object causes, in the turn in which
   * the store confirms it; with a control log, even if the call has failed by then. Returns a
   * function that unsubscribes. Errors of a listener are logged.
   */
  subscribe(listener: (event: SessionEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * Calls `listener` when a session is found expired: at its end while connections are open, else
   * when a request presents it. Once per session, as far as this process remembers; other processes
   * may report it as well. Returns a function that unsubscribes.
   */
  onExpired(listener: (session: Session) => void): () => void {
    return this.#expiries.subscribe(listener);
  }

  async #update(
    id: string,
    change: (stored: SessionRecord) => SessionRecord | undefined,
  ): Promise<SessionRecord | undefined> {
    let before: SessionRecord | undefined;
    const record = await this.#store.update(id, (stored) => {
      before = stored;
      const changed = change(stored);
      return changed === undefined || changed === stored ? changed : this.#withForgetAt(changed);
    }, (changed) => this.#renewal(changed));
    if (record !== undefined && record !== before) this.#written(this.#renewal(record));
    return record;
  }

  async #end(id: string, reason: SessionEndReason, by?: string): Promise<boolean> {
    const record = await this.#store.delete(id, (ended) => ending(ended, reason, by));
    if (record === undefined) return false;
    this.#written(ending(record, reason, by));
    return true;
  }

  /** Announces a write, unless the control log has done so. */
  #written(event: SessionEvent): void {
    if (!this.#isTold) this.#emit(event);
  }

  #found(session: Session | undefined): FoundSession {
    if (session === undefined) return { state: "unknown" };
    if (this.#clock.now() < session.expiresAt) return { state: "live", session };
    this.#expiries.note(session);
    return { state: "expired" };
  }

  #isFresh({ lastSeenAt }: Session): boolean {
    return this.#clock.now() - lastSeenAt < this.renewEveryMs;
  }

  #toSession(record: SessionRecord): Session {
    return toSession(record, this.#lifetime);
  }

  #seen(record: SessionRecord, seenAt: number): SessionRecord | undefined {
    if (seenAt >= expiryOf(record, this.#lifetime)) {
      this.#expiries.note(this.#toSession(record));
      return undefined;
    }
    if (seenAt <= record.lastSeenAt) return record;
    return { ...record, lastSeenAt: seenAt };
  }

  #withForgetAt(record: SessionRecord): SessionRecord {
    return { ...record, forgetAt: expiryOf(record, this.#lifetime) + REMEMBER_MS };
  }

  #renewal(record: SessionRecord): SessionEvent {
    return { type: "renewed", session: this.#toSession(record) };
  }

  async #endSurplus({ id, userId, kind }: SessionRecord): Promise<void> {
    const others = (await this.#store.list(userId))
      .filter((record) => record.id !== id && record.kind === kind);
    const surplus = others.length + 1 - this.#maxPerUser;
    if (surplus <= 0) return;
    others.sort((a, b) => a.lastSeenAt - b.lastSeenAt);
    for (const record of others.slice(0, surplus)) await this.end(record.id, "replaced");
  }

  #emit(event: SessionEvent): void {
    this.live.apply(event);
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.log.error("a listener for sessions failed", { event: event.type, error });
      }
    }
  }
}

function voidApprovals(record: SessionRecord, userId: string): SessionRecord {
  if (record.userId !== userId) return record;
  return { ...record, revocations: (record.revocations ?? 0) + 1 };
}

function ending(
  { id, userId }: SessionRecord,
  reason: SessionEndReason,
  by?: string,
): SessionEvent {
  const event = { type: "ended", sessionId: id, userId, reason } as const;
  return by === undefined ? event : { ...event, by };
}
