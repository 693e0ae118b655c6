import { isPromise } from "../core/promises.ts";
import type { ReadCache } from "./cache/read_cache.ts";
import type { FoundSession, Session } from "./session.ts";
import type { SessionLifecycle, SessionParts } from "./session_lifecycle.ts";
import { type KnownSession, type SessionRecord, toKnown, toSession } from "./session_record.ts";
import { isId, proofOf, renewedSecret, type SessionToken } from "./tokens/secrets.ts";

/** A token, parsed or not. */
export type AnyToken = string | SessionToken | undefined;

/** A token that a server with this store wrote. */
export interface ChosenToken {
  /** *Security*: a credential; never log it. */
  readonly token: string;
  /** The parsed token. */
  readonly parts: SessionToken;
}

/** The token that counts, if there is one. */
export type TokenChoice = ChosenToken | undefined;

const UNKNOWN: FoundSession = Object.freeze({ state: "unknown" });

/** Finds sessions and verifies their tokens; see the methods of {@linkcode Sessions}. */
export class SessionLookup {
  readonly #parts: SessionParts;
  readonly #lifecycle: SessionLifecycle;
  readonly #cache: ReadCache<KnownSession> | undefined;

  constructor(parts: SessionParts, lifecycle: SessionLifecycle) {
    this.#parts = parts;
    this.#lifecycle = lifecycle;
    this.#cache = parts.events.caches?.sessions;
  }

  /**
   * Chooses among the tokens of a request: the first of a live session counts, else the first of an
   * expired one. Synchronous unless a key or a session must be read. Returns undefined if no server
   * with this store wrote any of them. Proves nothing: see {@linkcode find}.
   */
  choose(tokens: readonly string[]): TokenChoice | Promise<TokenChoice> {
    const [token] = tokens;
    if (token === undefined) return undefined;
    if (tokens.length > 1) return this.#chooseAmong(tokens);
    const read = this.#parts.tokens.read(token);
    if (isPromise(read)) return read.then((parts) => parts && { token, parts });
    return read && { token, parts: read };
  }

  /** See {@linkcode Sessions.find}. */
  async find(token: AnyToken): Promise<FoundSession> {
    const read = await this.#read(token);
    if (read === undefined) return UNKNOWN;
    const cached = await this.#findCached(read);
    if (cached !== undefined) return cached;
    const known = await this.#load(read.id);
    return known ? await this.#prove(known, read) : UNKNOWN;
  }

  /**
   * Returns the session of a token if it is in the read cache, live, and not due for renewal: the
   * result of {@linkcode find} and `Sessions.touch()` without waiting.
   */
  recall(token: AnyToken): Session | undefined {
    const read = this.#read(token);
    const found = read && !isPromise(read) ? this.#findCached(read) : undefined;
    if (found === undefined || isPromise(found) || found.state !== "live") return undefined;
    const { clock, renewEveryMs } = this.#parts;
    return clock.now() - found.session.lastSeenAt < renewEveryMs ? found.session : undefined;
  }

  /** See {@linkcode Sessions.findById}. */
  async findById(id: string): Promise<FoundSession> {
    return this.#foundRecord(isId(id) ? await this.#parts.store.get(id) : undefined);
  }

  /** See {@linkcode Sessions.findMany}. */
  async findMany(ids: readonly string[]): Promise<FoundSession[]> {
    const records = await this.#parts.store.getMany(ids);
    return records.map((record) => this.#foundRecord(record));
  }

  /** See {@linkcode Sessions.list}. */
  async list(userId: string): Promise<Session[]> {
    const { store, lifetime } = this.#parts;
    const sessions = (await store.list(userId)).map((record) => toSession(record, lifetime));
    return sessions.filter((session) => this.#isLive(session));
  }

  /** Chooses the first token of a live session, else the first of an expired one, else any. */
  async #chooseAmong(tokens: readonly string[]): Promise<TokenChoice> {
    const genuine: ChosenToken[] = [];
    for (const token of tokens) {
      const parts = await this.#parts.tokens.read(token);
      if (parts !== undefined) genuine.push({ token, parts });
    }
    let expired: ChosenToken | undefined;
    for (const chosen of genuine.length > 1 ? genuine : []) {
      const { state } = await this.find(chosen.parts);
      if (state === "live") return chosen;
      if (state === "expired") expired ??= chosen;
    }
    return expired ?? genuine[0];
  }

  #read(token: AnyToken): SessionToken | undefined | Promise<SessionToken | undefined> {
    return typeof token === "object" ? token : this.#parts.tokens.read(token);
  }

  #load(id: string): Promise<KnownSession | undefined> {
    const { store, lifetime } = this.#parts;
    const read = async () => {
      const record = await store.get(id);
      return record && toKnown(record, lifetime);
    };
    return this.#cache?.load(id, read) ?? read();
  }

  /**
   * Finds a live session in the read cache, unless its proof must be stored. The cache can only
   * admit: another process may have renewed the session or its secret.
   */
  #findCached(token: SessionToken): FoundSession | Promise<FoundSession> | undefined {
    const known = this.#cache?.get(token.id);
    if (known === undefined || !this.#isLive(known.session)) return undefined;
    switch (proofOf(known.secrets, token.secret, this.#parts.clock.now())) {
      case "current":
        return { state: "live", session: known.session };
      case "previous":
        return this.#foundBefore(known, token);
    }
  }

  async #prove(known: KnownSession, token: SessionToken): Promise<FoundSession> {
    const now = this.#parts.clock.now();
    const { session, secrets } = known;
    switch (proofOf(secrets, token.secret, now)) {
      case "none":
        return UNKNOWN;
      case "spent":
        if (this.#isLive(session)) await this.#endStolen(session);
        return UNKNOWN;
      case "previous":
        return await this.#foundBefore(known, token);
      case "unseen":
        if (this.#isLive(session)) await this.#lifecycle.markSeen(session.id, now);
    }
    return this.#found(session);
  }

  async #endStolen({ id }: Session): Promise<void> {
    if (!await this.#parts.end(id, "stolen")) return;
    this.#parts.log.warn("a replaced secret was used, ending the session", { session: id });
  }

  /** Finds a session by its previous secret, and returns the token that replaces it. */
  async #foundBefore(known: KnownSession, { id, secret }: SessionToken): Promise<FoundSession> {
    const found = this.#found(known.session);
    const next = renewedSecret(known.secrets, secret);
    if (found.state !== "live" || next === undefined) return found;
    return { ...found, renewedToken: await this.#parts.tokens.write({ id, secret: next }) };
  }

  #foundRecord(record: SessionRecord | undefined): FoundSession {
    return record === undefined ? UNKNOWN : this.#found(toSession(record, this.#parts.lifetime));
  }

  #found(session: Session): FoundSession {
    if (this.#isLive(session)) return { state: "live", session };
    this.#parts.events.expired(session);
    return { state: "expired" };
  }

  #isLive({ expiresAt }: Session): boolean {
    return this.#parts.clock.now() < expiresAt;
  }
}
