import { type Clock, type Freshness, type Log, systemClock } from "../scope.ts";
import { ControlFollower } from "./control_follower.ts";
import type { ControlLog } from "./control_log.ts";
import { LiveSessions } from "./live_sessions.ts";
import { createRecord, type NewSession, type NewToken, type RenewedToken } from "./new_session.ts";
import { outdateSession } from "./outdate_session.ts";
import { Recollection } from "./recollection.ts";
import { NotedExpiries } from "./noted_expiries.ts";
import {
  expiryOf,
  type FoundSession,
  type Session,
  type SessionEndReason,
  type SessionEvent,
  type SessionLifetime,
  toSession,
} from "./session.ts";
import { type AnyToken, SessionProofs } from "./session_proofs.ts";
import type { SessionRecord, SessionStore } from "./session_store.ts";
import { SharedFollower } from "./shared_follower.ts";
import { isId, randomId, randomSecret, type SessionToken } from "./session_token.ts";
import { SessionTokens } from "./session_tokens.ts";
import { TagKeys } from "./tag_keys.ts";

const HOUR_MS = 3_600_000;

/** How long an expired session is remembered, so that people are told that it expired. */
const REMEMBER_MS = 24 * HOUR_MS;

/** How {@linkcode Sessions} treats sessions. */
export interface SessionsOptions {
  /** Unused for this long a session ends, in milliseconds. @default {604_800_000} (7 days) */
  readonly idleTtlMs?: number;
  /** This long after sign-in it ends anyway, in milliseconds. @default {2_592_000_000} (30 days) */
  readonly maxTtlMs?: number;
  /** @default {systemClock} */
  readonly clock?: Clock;
  readonly log: Log;
  /** What other processes over the same database write, and this one follows. */
  readonly controlLog?: ControlLog;
  /** A secret that is older is to be replaced, in milliseconds. @default {86_400_000} (24 hours) */
  readonly rotateAfterMs?: number;
  /**
   * Sessions of one user; a further sign-in ends the one that was used least recently. Browsers and
   * programs count apart. @default {100}
   */
  readonly maxPerUser?: number;
}

/**
 * The sign-ins of browsers: begins, finds, renews and ends them. All the rules are here; the store
 * only keeps.
 *
 * Lifetimes are checked against the clock at every read. Whoever subscribes learns of an end or a
 * renewal at once, after the store has confirmed it; {@linkcode live} ends the connections.
 *
 * *Security*: a token is `id.secret` with a tag, see {@linkcode SessionTokens}; the store has the SHA-256
 * of the secret (256 bits) and nothing else of it. Ids are not secret and prove nothing.
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
  /** The connections of this process, by session. */
  readonly live: LiveSessions;
  /** A session that was renewed is not renewed again for this long, in milliseconds. */
  readonly renewEveryMs: number;
  /** Where trouble with sessions is written. */
  readonly log: Log;
  /** Whether what is known of other processes' events is fresh; there with a control log. */
  readonly freshness: Freshness | undefined;
  /** What was just read and may be used once more; there with a control log. */
  readonly recollection: Recollection | undefined;
  readonly #store: SessionStore;
  readonly #lifetime: SessionLifetime;
  readonly #clock: Clock;
  readonly #maxPerUser: number;
  readonly #tokens: SessionTokens;
  readonly #proofs: SessionProofs;
  /** Whether the control log tells of what this object writes. */
  readonly #isTold: boolean;
  readonly #unfollow: (() => void) | undefined;
  readonly #unsubscribe: (() => void) | undefined;
  readonly #follower: ControlFollower | undefined;
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
    this.live = new LiveSessions(this, tools);
    const { controlLog, rotateAfterMs = 24 * HOUR_MS } = options;
    if (controlLog !== undefined) {
      const follower = this.#follower = new ControlFollower(controlLog, this.live, tools);
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
    // Also of a write that is confirmed after its caller has given up.
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

  /** Follows other processes no more. What is open stays open. */
  close(): void {
    this.#unfollow?.();
    this.#unsubscribe?.();
    this.recollection?.close();
  }

  /** How long a browser should keep the cookie, in seconds: a day beyond any session's end. */
  get cookieMaxAgeSeconds(): number {
    return Math.ceil((this.#lifetime.maxTtlMs + REMEMBER_MS) / 1000);
  }

  /**
   * Begins a session, always with a new id. The token is returned here and never again.
   *
   * What the browser says of itself is cut to 256 characters and cleared of control characters.
   * Past `maxPerUser` sessions of one user and kind, those that were used least recently are ended.
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
   * Returns an id for a session that is created later. If the outcome of {@linkcode create} is not
   * known, the id tells which session to end.
   */
  reserveId(): string {
    return randomId();
  }

  /**
   * Finds the session of a token. One read of the store, or none if no server over this store wrote the
   * token, or if the session was just read: see {@linkcode Recollection}. One write when a renewed secret
   * is seen first.
   *
   * *Security*: `expired` is only said to who has the secret. A session that was ended, a wrong
   * secret and nonsense are all `unknown`. So is a secret that a later one has replaced; then somebody
   * has a copy of it, and the session is ended as `stolen`.
   */
  find(token: AnyToken): Promise<FoundSession> {
    return this.#proofs.find(token);
  }

  /**
   * Returns the session of a token where it was just read, lives, and need not be renewed: what
   * {@linkcode find} and {@linkcode touch} would return then, without waiting for anything.
   */
  recall(token: AnyToken): Session | undefined {
    const session = this.#proofs.recall(token);
    return session && this.#isFresh(session) ? session : undefined;
  }

  /**
   * Takes a token apart, in the same turn unless a key has to be read. Undefined if no server over this
   * store wrote it. Proves nothing: see {@linkcode find}.
   */
  readToken(token: string): SessionToken | undefined | Promise<SessionToken | undefined> {
    return this.#tokens.read(token);
  }

  /** Finds sessions by their ids, as {@linkcode findById}, in the order of `ids`. */
  async findMany(ids: readonly string[]): Promise<FoundSession[]> {
    const records = await this.#store.getMany(ids);
    return records.map((record) => this.#found(record && this.#toSession(record)));
  }

  /**
   * Finds a session by its id, for those who have proof of another kind than the token.
   *
   * *Security*: ids are no proof.
   */
  async findById(id: string): Promise<FoundSession> {
    const record = isId(id) ? await this.#store.get(id) : undefined;
    return this.#found(record && this.#toSession(record));
  }

  /** Returns a session that lives, by its id. See {@linkcode findById}. */
  async get(id: string): Promise<Session | undefined> {
    const found = await this.findById(id);
    return found.state === "live" ? found.session : undefined;
  }

  /**
   * Notes that a session was in use, now or at `seenAt`, and returns it as it is then; undefined
   * where it is over. Writes only when the session has not been renewed for `renewEveryMs`.
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
   * Gives a session another secret, and keeps everything else: its connections stay open. Undefined
   * where the session is over. The secret before is good for `graceMs` more, for requests that are on
   * their way.
   *
   * *Security*: for when a token may have been seen. A sign-in always begins a new session instead.
   */
  rotate(
    id: string,
    { graceMs = 10_000 }: { graceMs?: number } = {},
  ): Promise<NewToken | undefined> {
    return this.#proofs.replace(id, graceMs);
  }

  /**
   * Gives the session of a token another secret if the one of the token is older than `rotateAfterMs`.
   * Undefined if it is not. Of several calls at once all get the same token, and one is told that it is
   * new.
   *
   * The secret before stays good until the new one is seen in a request, and for 10 s after that;
   * meanwhile {@linkcode find} says which token replaces it. So an answer that is lost signs nobody out.
   */
  renewSecret(session: Session, token: string): Promise<RenewedToken | undefined> {
    return this.#proofs.renew(session, token);
  }

  /**
   * Ends a session, and with it every connection of it. Returns false where there is none, or where
   * it belongs to somebody other than `userId`.
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
   * Ends the sessions of a user, but `except`; `by` is who does so. Returns how many.
   *
   * One by one: after an error some may be over, and those were told of. Calling it again ends the
   * others.
   *
   * What `except` approved before, such as a program that has not fetched its token yet, is void.
   */
  async endAll(
    userId: string,
    options: { except?: string | undefined; reason?: SessionEndReason; by?: string } = {},
  ): Promise<number> {
    const { except, reason = "revoked", by } = options;
    // First: a session that is approved afterwards is either on the list below, or void.
    if (except !== undefined) {
      await this.#store.update(except, (kept) => voidApprovals(kept, userId));
    }
    let ended = 0;
    for (const { id } of await this.#store.list(userId)) {
      if (id !== except && await this.#end(id, reason, by)) ended++;
    }
    return ended;
  }

  /** Returns the sessions of a user that live, oldest first. */
  async list(userId: string): Promise<Session[]> {
    const now = this.#clock.now();
    const sessions = (await this.#store.list(userId)).map((record) => this.#toSession(record));
    return sessions.filter((session) => now < session.expiresAt);
  }

  /**
   * Tells everything that a person changed, or that all their sessions are over, after the store of
   * people has confirmed it; that store writes it to the control log.
   */
  announce(event: SessionEvent & { readonly type: "user-changed" | "user-ended" }): void {
    this.#emit(event.type === "user-ended" ? { at: this.#clock.now(), ...event } : event);
  }

  /**
   * Takes a hint of another process that something has happened. It is not believed: the control log is
   * read at once, or the store if there is no log.
   */
  heard(event: SessionEvent): void {
    if (this.#follower !== undefined) return this.#follower.look();
    this.live.confirm(event).catch((error) => {
      this.log.warn("what was heard of sessions cannot be confirmed", { error });
    });
  }

  /**
   * Calls `listener` once at every end and renewal that this object brings about, in the same turn,
   * after the store confirmed it; with a control log also if that is after the call has failed. Returns
   * how to stop. What a listener throws is logged.
   */
  subscribe(listener: (event: SessionEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * Calls `listener` where it is noticed that a session's lifetime is over: at its end while
   * connections are open, else when somebody comes with it. Once for each session, as far as this
   * process remembers; others may notice it as well. Returns how to stop.
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

  /** Tells of what was written, unless the control log has done so. */
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
