import type { SessionEvents } from "./revocation/session_events.ts";
import type { NewToken, Session, SessionEndReason, SessionEvent } from "./session.ts";
import {
  createRecord,
  expiryOf,
  type NewSession,
  type SessionRecord,
  toSession,
} from "./session_record.ts";
import { REMEMBER_MS, type SessionRules } from "./session_rules.ts";
import type { SessionStore } from "./session_store.ts";
import {
  markSeen,
  proofOf,
  randomId,
  randomSecret,
  renewedSecret,
  renewSecrets,
  replaceSecret,
} from "./tokens/secrets.ts";
import { type SessionTokens } from "./tokens/session_tokens.ts";

type Change = (stored: SessionRecord) => SessionRecord | undefined;

/** The parts of {@linkcode SessionLifecycle} and {@linkcode SessionLookup}. */
export interface SessionParts extends SessionRules {
  readonly store: SessionStore;
  readonly events: SessionEvents;
  readonly tokens: SessionTokens;
  /** See {@linkcode Sessions.end}. */
  end(id: string, reason: SessionEndReason): Promise<boolean>;
}

/** Creates and renews sessions; see the methods of {@linkcode Sessions} with these names. */
export class SessionLifecycle {
  readonly #parts: SessionParts;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** See {@linkcode Sessions.create}. */
  async create(request: NewSession): Promise<NewToken> {
    const { store, tokens, clock } = this.#parts;
    const parts = { id: request.id ?? randomId(), secret: randomSecret() };
    const token = await tokens.write(parts);
    const record = this.#withForgetAt(createRecord(request, parts, clock.now()));
    await store.create(record);
    await this.#endSurplus(record);
    return { session: this.#toSession(record), token };
  }

  /** See {@linkcode Sessions.touch}. */
  async touch(session: Session, options: { seenAt?: number } = {}): Promise<Session | undefined> {
    const now = this.#parts.clock.now();
    const seenAt = Math.min(options.seenAt ?? now, now);
    const isDue = now - session.lastSeenAt >= this.#parts.renewEveryMs;
    if (!isDue && now < session.expiresAt) return session;
    const record = await this.#update(session.id, (stored) => this.#seen(stored, seenAt));
    const renewed = record && this.#toSession(record);
    return renewed && now < renewed.expiresAt ? renewed : undefined;
  }

  /** See {@linkcode Sessions.rotate}. */
  async rotate(id: string, { graceMs = 10_000 } = {}): Promise<NewToken | undefined> {
    const { tokens, clock } = this.#parts;
    const secret = randomSecret();
    const token = await tokens.write({ id, secret });
    const now = clock.now();
    const until = { now, previousUntil: now + graceMs };
    const record = await this.#use(id, now, (stored) => replaceSecret(stored, secret, until));
    return record && { session: this.#toSession(record), token };
  }

  /** See {@linkcode Sessions.renewSecret}. */
  async renewSecret(
    { id, secretSince }: Session,
    token: string,
  ): Promise<NewToken & { readonly isNew: boolean } | undefined> {
    const { tokens, clock, rotateAfterMs } = this.#parts;
    const now = clock.now();
    if (now - secretSince < rotateAfterMs) return undefined;
    const read = await tokens.read(token);
    if (read?.id !== id) return undefined;
    let isNew = false;
    const record = await this.#use(id, now, (stored) => {
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

  /** Stores that the owner of a session has received its new secret. */
  async markSeen(id: string, now: number): Promise<void> {
    try {
      await this.#use(id, now, (stored) => markSeen(stored, now));
    } catch (error) {
      // The next request retries; until then, the previous secret is valid as well.
      this.#parts.log.warn("the use of a new secret could not be stored", { session: id, error });
    }
  }

  /** Changes a live session that is in use. Returns undefined if nothing may change. */
  #use(id: string, now: number, change: Change): Promise<SessionRecord | undefined> {
    return this.#update(id, (stored) => {
      if (now >= expiryOf(stored, this.#parts.lifetime)) return undefined;
      const changed = change(stored);
      if (changed === undefined || changed === stored) return changed;
      return { ...changed, lastSeenAt: Math.max(now, stored.lastSeenAt) };
    });
  }

  async #update(id: string, change: Change): Promise<SessionRecord | undefined> {
    const { store, events } = this.#parts;
    let before: SessionRecord | undefined;
    const record = await store.update(id, (stored) => {
      before = stored;
      const changed = change(stored);
      return changed === undefined || changed === stored ? changed : this.#withForgetAt(changed);
    }, (changed) => this.#renewal(changed));
    if (record !== undefined && record !== before) events.written(this.#renewal(record));
    return record;
  }

  #seen(record: SessionRecord, seenAt: number): SessionRecord | undefined {
    const { lifetime, events } = this.#parts;
    if (seenAt >= expiryOf(record, lifetime)) {
      events.expired(this.#toSession(record));
      return undefined;
    }
    if (seenAt <= record.lastSeenAt) return record;
    return { ...record, lastSeenAt: seenAt };
  }

  async #endSurplus({ id, userId, kind }: SessionRecord): Promise<void> {
    const { store, maxPerUser } = this.#parts;
    const others = (await store.list(userId))
      .filter((record) => record.id !== id && record.kind === kind);
    const surplus = others.length + 1 - maxPerUser;
    if (surplus <= 0) return;
    others.sort((a, b) => a.lastSeenAt - b.lastSeenAt);
    for (const record of others.slice(0, surplus)) await this.#parts.end(record.id, "replaced");
  }

  #withForgetAt(record: SessionRecord): SessionRecord {
    return { ...record, forgetAt: expiryOf(record, this.#parts.lifetime) + REMEMBER_MS };
  }

  #renewal(record: SessionRecord): SessionEvent {
    return { type: "renewed", session: this.#toSession(record) };
  }

  #toSession(record: SessionRecord): Session {
    return toSession(record, this.#parts.lifetime);
  }
}
