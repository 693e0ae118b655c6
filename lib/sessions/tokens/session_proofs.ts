import { isPromise } from "../../core/promises.ts";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { type KnownSession, toKnown } from "../cache/known_session.ts";
import type { NewToken, RenewedToken } from "../new_session.ts";
import type { RecentReads } from "../cache/recent_reads.ts";
import { markSeen, proofOf, renewedSecret, renewSecrets, replaceSecret } from "./secrets.ts";
import {
  expiryOf,
  type FoundSession,
  type Session,
  type SessionLifetime,
  toSession,
} from "../session.ts";
import type { SessionRecord, SessionStore } from "../session_store.ts";
import { randomSecret, type SessionToken } from "./session_token.ts";
import type { SessionTokens } from "./session_tokens.ts";

/** Options of {@linkcode SessionProofs}. */
export interface SessionProofsParts {
  readonly store: SessionStore;
  readonly tokens: SessionTokens;
  readonly lifetime: SessionLifetime;
  readonly rotateAfterMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** The read cache, if there is a usable one. */
  readonly recent: RecentReads<KnownSession> | undefined;
  /** Returns whether a proved session is live. */
  found(session: Session): FoundSession;
  /** Writes a changed session and announces it. */
  update(
    id: string,
    change: (stored: SessionRecord) => SessionRecord | undefined,
  ): Promise<SessionRecord | undefined>;
  /** Ends a session whose secret was copied. Returns false if it had already ended. */
  endStolen(id: string): Promise<boolean>;
}

/** A token, parsed or not. */
export type AnyToken = string | SessionToken | undefined;

const UNKNOWN: FoundSession = Object.freeze({ state: "unknown" });

/** Verifies session tokens and renews their secrets. */
export class SessionProofs {
  readonly #parts: SessionProofsParts;

  constructor(parts: SessionProofsParts) {
    this.#parts = parts;
  }

  /** See `Sessions.find()`. */
  async find(token: AnyToken): Promise<FoundSession> {
    const read = await this.#read(token);
    if (read === undefined) return UNKNOWN;
    const recalled = await this.#recall(read);
    // The cache can only admit: another process may have renewed the session or its secret.
    if (recalled?.state === "live") return recalled;
    const known = await this.#load(read.id);
    return known ? await this.#prove(known, read) : UNKNOWN;
  }

  /** Returns the session of a token if that needs no waiting. */
  recall(token: AnyToken): Session | undefined {
    const read = this.#read(token);
    const found = read && !isPromise(read) ? this.#recall(read) : undefined;
    return found && !isPromise(found) && found.state === "live" ? found.session : undefined;
  }

  /** See `Sessions.rotate()`. */
  async replace(id: string, graceMs: number): Promise<NewToken | undefined> {
    const { tokens, clock } = this.#parts;
    const secret = randomSecret();
    const token = await tokens.write({ id, secret });
    const now = clock.now();
    const until = { now, previousUntil: now + graceMs };
    const record = await this.#change(id, now, (stored) => replaceSecret(stored, secret, until));
    return record && { session: this.#toSession(record), token };
  }

  /** See `Sessions.renewSecret()`. */
  async renew({ id, secretSince }: Session, token: string): Promise<RenewedToken | undefined> {
    const { tokens, clock, rotateAfterMs } = this.#parts;
    const now = clock.now();
    if (now - secretSince < rotateAfterMs) return undefined;
    const read = await tokens.read(token);
    if (read?.id !== id) return undefined;
    let isNew = false;
    const record = await this.#change(id, now, (stored) => {
      const proof = proofOf(stored, read.secret, now);
      isNew = proof === "current" || proof === "unseen";
      if (isNew) return renewSecrets(stored, read.secret, now);
      return renewedSecret(stored, read.secret) === undefined ? undefined : stored;
    });
    const secret = record && renewedSecret(record, read.secret);
    if (secret === undefined) return undefined;
    const renewed = await tokens.write({ id, secret });
    return { session: this.#toSession(record!), token: renewed, isNew };
  }

  #read(token: AnyToken): SessionToken | undefined | Promise<SessionToken | undefined> {
    return typeof token === "object" ? token : this.#parts.tokens.read(token);
  }

  #load(id: string): Promise<KnownSession | undefined> {
    const { store, recent, lifetime } = this.#parts;
    const load = async () => {
      const record = await store.get(id);
      return record && toKnown(record, lifetime);
    };
    return recent?.read(id, load) ?? load();
  }

  /** Finds a session in the read cache, unless its proof must be stored. */
  #recall(token: SessionToken): FoundSession | Promise<FoundSession> | undefined {
    const { recent, clock, found } = this.#parts;
    const known = recent?.recall(token.id);
    if (known === undefined) return undefined;
    switch (proofOf(known.secrets, token.secret, clock.now())) {
      case "current":
        return found(known.session);
      case "previous":
        return this.#foundBefore(known, token);
    }
  }

  async #prove(known: KnownSession, token: SessionToken): Promise<FoundSession> {
    const { clock, found, endStolen, log } = this.#parts;
    const now = clock.now();
    const { session, secrets } = known;
    const isLive = now < session.expiresAt;
    switch (proofOf(secrets, token.secret, now)) {
      case "none":
        return UNKNOWN;
      case "spent":
        if (isLive && await endStolen(session.id)) {
          log.warn("a replaced secret was used, ending the session", { session: session.id });
        }
        return UNKNOWN;
      case "previous":
        return await this.#foundBefore(known, token);
      case "unseen":
        if (isLive) await this.#markSeen(session, now);
    }
    return found(session);
  }

  /** Finds a session by its previous secret, and returns the token that replaces it. */
  async #foundBefore(known: KnownSession, { id, secret }: SessionToken): Promise<FoundSession> {
    const found = this.#parts.found(known.session);
    const next = renewedSecret(known.secrets, secret);
    if (found.state !== "live" || next === undefined) return found;
    return { ...found, renewedToken: await this.#parts.tokens.write({ id, secret: next }) };
  }

  async #markSeen({ id }: Session, now: number): Promise<void> {
    try {
      await this.#change(id, now, (stored) => markSeen(stored, now));
    } catch (error) {
      // The next request retries; until then, the previous secret is valid as well.
      this.#parts.log.warn("the use of a new secret could not be stored", { session: id, error });
    }
  }

  /** Changes the secrets of a live session. Returns undefined if nothing may change. */
  #change(
    id: string,
    now: number,
    change: (stored: SessionRecord) => SessionRecord | undefined,
  ): Promise<SessionRecord | undefined> {
    return this.#parts.update(id, (stored) => {
      if (now >= expiryOf(stored, this.#parts.lifetime)) return undefined;
      const changed = change(stored);
      if (changed === undefined || changed === stored) return changed;
      return { ...changed, lastSeenAt: Math.max(now, stored.lastSeenAt) };
    });
  }

  #toSession(record: SessionRecord): Session {
    return toSession(record, this.#parts.lifetime);
  }
}
