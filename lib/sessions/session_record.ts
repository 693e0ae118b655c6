import type { Session, SessionLifetime } from "./session.ts";
import { hashSecret, type SessionToken, type StoredSecrets } from "./tokens/secrets.ts";

const MAX_USER_AGENT_LENGTH = 256;
const MAX_ADDRESS_LENGTH = 64;

/** A stored session. */
export interface SessionRecord extends StoredSecrets {
  /** Identifies the session; not a secret. */
  readonly id: string;
  /** The id of the user. */
  readonly userId: string;
  /** The id of the provider that the user signed in with. */
  readonly provider: string;
  /** Undefined for a browser's. */
  readonly kind?: Session["kind"] | undefined;
  /** When it began, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** When the user authenticated, if that was before the session began. */
  readonly signedInAt?: number | undefined;
  /** When it was last used, in milliseconds since the epoch. */
  readonly lastSeenAt: number;
  /** The `User-Agent` at sign-in. */
  readonly userAgent: string;
  /** The client's address at sign-in. */
  readonly address: string | undefined;
  /** See {@linkcode Session}; undefined for 0. */
  readonly revocations?: number | undefined;
  /**
   * When the store may delete it, in milliseconds since the epoch: at least a day after its end, so
   * that an expired session is not mistaken for an unknown one.
   */
  readonly forgetAt: number;
}

/** A cached session: what admits a connection. All its connections share the same `session`. */
export interface KnownSession {
  /** The session, frozen. */
  readonly session: Session;
  /** What verifies its tokens. */
  readonly secrets: StoredSecrets;
}

/**
 * The properties of a new session.
 *
 * @internal
 */
export interface NewSession {
  /** The id of the user. */
  readonly userId: string;
  /** The id of the provider that the user signed in with. */
  readonly provider: string;
  /** The browser's `User-Agent`. */
  readonly userAgent?: string | undefined;
  /** The client's address. */
  readonly address?: string | undefined;
  /** The holder of the session. @default {"browser"} */
  readonly kind?: Session["kind"];
  /**
   * When the user authenticated, in milliseconds since the epoch. A session approved by another one
   * ends when that one reaches its absolute limit. @default {now}
   */
  readonly signedInAt?: number;
  /** An id from {@linkcode Sessions.reserveId}. @default {a new one} */
  readonly id?: string;
}

/** Returns the record of a new session, without its `forgetAt`. */
export function createRecord(
  request: NewSession,
  token: SessionToken,
  now: number,
): SessionRecord {
  const { userId, provider, userAgent = "", address, kind, signedInAt } = request;
  return {
    id: token.id,
    userId,
    provider,
    ...kind === "program" ? { kind } : {},
    createdAt: now,
    ...signedInAt === undefined ? {} : { signedInAt },
    lastSeenAt: now,
    userAgent: cleanText(userAgent, MAX_USER_AGENT_LENGTH),
    address: address && cleanText(address, MAX_ADDRESS_LENGTH),
    secretHash: hashSecret(token.secret),
    forgetAt: 0,
  };
}

/** Returns when a stored session ends, by the current lifetimes. */
export function expiryOf(record: SessionRecord, lifetime: SessionLifetime): number {
  const signedInAt = record.signedInAt ?? record.createdAt;
  return Math.min(record.lastSeenAt + lifetime.idleTtlMs, signedInAt + lifetime.maxTtlMs);
}

/** Returns a stored session without its secrets and internal fields. */
export function toSession(record: SessionRecord, lifetime: SessionLifetime): Session {
  return {
    id: record.id,
    userId: record.userId,
    provider: record.provider,
    kind: record.kind ?? "browser",
    createdAt: record.createdAt,
    signedInAt: record.signedInAt ?? record.createdAt,
    lastSeenAt: record.lastSeenAt,
    expiresAt: expiryOf(record, lifetime),
    secretSince: record.secretSince ?? record.createdAt,
    revocations: record.revocations ?? 0,
    userAgent: record.userAgent,
    address: record.address,
  };
}

/** Returns the parts of a stored session that are cached. */
export function toKnown(record: SessionRecord, lifetime: SessionLifetime): KnownSession {
  const { secretHash, previousHash, previousUntil, renewalSalt, spentHashes } = record;
  const secrets = { secretHash, previousHash, previousUntil, renewalSalt, spentHashes };
  return { session: Object.freeze(toSession(record, lifetime)), secrets };
}

/** Returns the record of a session after its user ended all others: earlier approvals are void. */
export function voidApprovals(record: SessionRecord, userId: string): SessionRecord {
  if (record.userId !== userId) return record;
  return { ...record, revocations: (record.revocations ?? 0) + 1 };
}

function cleanText(text: string, maxLength: number): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "").slice(0, maxLength);
}
