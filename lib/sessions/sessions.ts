import { type Clock, type Freshness, type Log, systemClock } from "../scope.ts";
import { ControlFollower } from "./control_follower.ts";
import type { ControlLog } from "./control_log.ts";
import { isSecretOf, type KnownSession, toKnown } from "./known_session.ts";
import { LiveSessions } from "./live_sessions.ts";
import { createRecord, type NewSession, type NewToken } from "./new_session.ts";
import { outdateSession } from "./outdate_session.ts";
import type { RecentReads } from "./recent_reads.ts";
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
import type { SessionRecord, SessionStore } from "./session_store.ts";
import { SharedFollower } from "./shared_follower.ts";
import {
  formatToken,
  hashSecret,
  isId,
  randomId,
  randomSecret,
  readToken,
  type SessionToken,
} from "./session_token.ts";

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
  /** Sessions of one person; a further sign-in ends the one that was used least recently. @default {100} */
  readonly maxPerUser?: number;
}

/**
 * The sign-ins of browsers: begins, finds, renews and ends them. All the rules are here; the store
 * only keeps.
 *
 * Lifetimes are checked against the clock at every read. Whoever subscribes learns of an end or a
 * renewal at once, after the store has confirmed it; {@linkcode live} ends the connections.
 *
 * *Security*: a token is `id.secret`; the store has the SHA-256 of the secret (256 random bits) and
 * nothing else of it. Ids are not secret and prove nothing.
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
  readonly #recent: RecentReads<KnownSession> | undefined;
  readonly #rotateAfterMs: number;
  #unfollow: (() => void) | undefined;
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
    this.#rotateAfterMs = options.rotateAfterMs ?? 24 * HOUR_MS;
    const tools = { clock: this.#clock, log: this.log };
    this.live = new LiveSessions(this, tools);
    const { controlLog } = options;
    if (controlLog === undefined) return;
    const follower = new ControlFollower(controlLog, this.live, tools);
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
    this.#recent = this.recollection.of(store, outdateSession);
  }

  /** Follows other processes no more. What is open stays open. */
  close(): void {
    this.#unfollow?.();
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
   * Past `maxPerUser` sessions of one person, those that were used least recently are ended.
   */
  async create(request: NewSession): Promise<NewToken> {
    const token = { id: randomId(), secret: randomSecret() };
    const record = this.#withForgetAt(createRecord(request, token, this.#clock.now()));
    await this.#store.create(record);
    await this.#endSurplus(record);
    return { session: this.#toSession(record), token: formatToken(token) };
  }

  /**
   * Finds the session of a token. One read of the store, or none where the token's shape is wrong, or
   * where the session was just read: see {@linkcode Recollection}.
   *
   * *Security*: `expired` is only said to who has the secret. A session that was ended, a wrong
   * secret and nonsense are all `unknown`.
   */
  async find(token: string | undefined): Promise<FoundSession> {
    const parts = readToken(token);
    if (!parts) return { state: "unknown" };
    const recalled = this.#recall(parts);
    // Only to let in: another process may have renewed the session, or given it another secret.
    if (recalled.state === "live") return recalled;
    return this.#prove(await this.#read(parts.id), parts.secret);
  }

  /**
   * Returns the session of a token where it was just read, lives, and need not be renewed: what
   * {@linkcode find} and {@linkcode touch} would return then, without waiting for anything.
   */
  recall(token: string | undefined): Session | undefined {
    const parts = readToken(token);
    const found = parts && this.#recall(parts);
    return found?.state === "live" && this.#isFresh(found.session) ? found.session : undefined;
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
    const record = await this.#store.update(
      session.id,
      (stored) => this.#seen(stored, seenAt),
      (renewed) => this.#renewal(renewed),
    );
    const renewed = record && this.#toSession(record);
    if (!renewed || renewed.expiresAt <= now) return undefined;
    if (renewed.lastSeenAt === seenAt) this.#emit({ type: "renewed", session: renewed });
    return renewed;
  }

  /**
   * Gives a session another secret, and keeps everything else: its connections stay open. Undefined
   * where the session is over.
   *
   * The secret before is good for `graceMs` more, for requests that are on their way. With
   * `secretSince`, only a session that got its secret then: of several rotations at once, one is done.
   *
   * *Security*: for when a token may have been seen. A sign-in always begins a new session instead.
   */
  async rotate(
    id: string,
    { graceMs = 10_000, secretSince }: { graceMs?: number; secretSince?: number } = {},
  ): Promise<NewToken | undefined> {
    const token = { id, secret: randomSecret() };
    const now = this.#clock.now();
    const record = await this.#store.update(
      id,
      (stored) => {
        const known = toSession(stored, this.#lifetime);
        if (now >= known.expiresAt) return undefined;
        if (secretSince !== undefined && secretSince !== known.secretSince) return undefined;
        return this.#withForgetAt({
          ...stored,
          lastSeenAt: Math.max(now, stored.lastSeenAt),
          secretHash: hashSecret(token.secret),
          secretSince: now,
          previousHash: stored.secretHash,
          previousUntil: now + graceMs,
        });
      },
      (rotated) => this.#renewal(rotated),
    );
    if (!record) return undefined;
    const session = this.#toSession(record);
    this.#emit({ type: "renewed", session });
    return { session, token: formatToken(token) };
  }

  /**
   * Gives a session another secret where the one that it has is older than `rotateAfterMs`, so that a
   * token that was stolen is good for no longer than that and the grace of {@linkcode rotate}. For
   * whoever can hand the new one to the browser. Of several calls at once, one gets it.
   */
  async renewSecret({ id, secretSince }: Session): Promise<NewToken | undefined> {
    if (this.#clock.now() - secretSince < this.#rotateAfterMs) return undefined;
    return await this.rotate(id, { secretSince });
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
    const record = await this.#store.delete(id, (ended) => ending(ended, reason));
    if (!record) return false;
    this.#emit(ending(record, reason));
    return true;
  }

  /** Ends the sessions of a user, but `except`; `by` is who does so. Returns how many. */
  async endAll(
    userId: string,
    options: { except?: string | undefined; reason?: SessionEndReason; by?: string } = {},
  ): Promise<number> {
    const { except, reason = "revoked", by } = options;
    const announce = (record: SessionRecord) => ending(record, reason, by);
    const records = await this.#store.deleteByUser(userId, { except, announce });
    for (const record of records) this.#emit(announce(record));
    return records.length;
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
    this.#emit(event);
  }

  /**
   * Calls `listener` at every end and renewal that this object brings about, in the same turn,
   * after the store confirmed it. Returns how to stop. What a listener throws is logged.
   */
  subscribe(listener: (event: SessionEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Calls `listener` where it is noticed that a session's lifetime is over: at its end while
   * connections are open, else when somebody comes with it. Once for each session, as far as this
   * process remembers; others may notice it as well. Returns how to stop.
   */
  onExpired(listener: (session: Session) => void): () => void {
    return this.#expiries.subscribe(listener);
  }

  #read(id: string): Promise<KnownSession | undefined> {
    const load = async () => {
      const record = await this.#store.get(id);
      return record && toKnown(record, this.#lifetime);
    };
    return this.#recent?.read(id, load) ?? load();
  }

  #recall({ id, secret }: SessionToken): FoundSession {
    return this.#prove(this.#recent?.recall(id), secret);
  }

  #prove(known: KnownSession | undefined, secret: string): FoundSession {
    if (known === undefined) return { state: "unknown" };
    const isProof = isSecretOf(known, secret, this.#clock.now());
    return isProof ? this.#found(known.session) : { state: "unknown" };
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
    return this.#withForgetAt({ ...record, lastSeenAt: seenAt });
  }

  #withForgetAt(record: SessionRecord): SessionRecord {
    return { ...record, forgetAt: expiryOf(record, this.#lifetime) + REMEMBER_MS };
  }

  #renewal(record: SessionRecord): SessionEvent {
    return { type: "renewed", session: this.#toSession(record) };
  }

  async #endSurplus({ id, userId }: SessionRecord): Promise<void> {
    const others = (await this.#store.list(userId)).filter((record) => record.id !== id);
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

function ending(
  { id, userId }: SessionRecord,
  reason: SessionEndReason,
  by?: string,
): SessionEvent {
  const event = { type: "ended", sessionId: id, userId, reason } as const;
  return by === undefined ? event : { ...event, by };
}
