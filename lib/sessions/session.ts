import type { SessionRecord } from "./session_store.ts";

/** What holds a session: a browser, or a program that a browser's session approved. */
export type SessionKind = "browser" | "program";

/** A sign-in, as the rest of the software sees it. Holds no secret. */
export interface Session {
  /** Names it in lists, logs and addresses; not a secret. */
  readonly id: string;
  readonly userId: string;
  /** Who vouched for the person: `github`, `dev`, … */
  readonly provider: string;
  readonly kind: SessionKind;
  /** When it began, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** When the user proved who they are; the absolute limit counts from here. */
  readonly signedInAt: number;
  /** When it was last used, in milliseconds since the epoch; late by up to an hour. */
  readonly lastSeenAt: number;
  /** When it ends if it is not used again: the earlier of idle and absolute limit. */
  readonly expiresAt: number;
  /** Since when its token is the one that it is, in milliseconds since the epoch. */
  readonly secretSince: number;
  /** How often it ended the other sessions of its user: approvals given before that are void. */
  readonly revocations: number;
  /** What the browser called itself at sign-in, at most 256 characters. */
  readonly userAgent: string;
  /** Where the sign-in came from. */
  readonly address: string | undefined;
}

/** How long sessions live, in milliseconds. */
export interface SessionLifetime {
  /** Unused for this long, it ends. */
  readonly idleTtlMs: number;
  /** This long after sign-in it ends, used or not. */
  readonly maxTtlMs: number;
}

/** Returns when a stored session ends, by the lifetimes that hold now. */
export function expiryOf(record: SessionRecord, lifetime: SessionLifetime): number {
  const signedInAt = record.signedInAt ?? record.createdAt;
  return Math.min(record.lastSeenAt + lifetime.idleTtlMs, signedInAt + lifetime.maxTtlMs);
}

/** Returns a stored session without what only the store knows. */
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

/** What was found by a token. */
export type FoundSession =
  | {
    readonly state: "live";
    readonly session: Session;
    /**
     * The token that replaces the one that was shown, if its secret was renewed and the new one was not
     * seen yet.
     *
     * *Security*: goes to the browser that showed the other one, and nowhere else.
     */
    readonly renewedToken?: string;
  }
  | { readonly state: "expired" }
  | { readonly state: "unknown" };

/** Why a session ended. */
export type SessionEndReason =
  | "signed-out"
  | "revoked"
  | "replaced"
  | "expired"
  | "stolen"
  | "user-removed"
  | "user-banned";

/** What happened to a session or its person, after the store confirmed it. Holds no secret. */
export type SessionEvent =
  /** One session is over. */
  | {
    readonly type: "ended";
    readonly sessionId: string;
    readonly userId: string;
    readonly reason: SessionEndReason;
    /** Who ended it, where that is somebody else. */
    readonly by?: string;
  }
  /** A session lives longer, or got another secret. */
  | { readonly type: "renewed"; readonly session: Session }
  /** All sessions of a person that began until `at` are over. */
  | {
    readonly type: "user-ended";
    readonly userId: string;
    readonly reason: SessionEndReason;
    /** In milliseconds since the epoch; undefined: those that are open when it is read. */
    readonly at?: number;
    /** Who did it. */
    readonly by?: string;
  }
  /** A person's name, picture or roles changed. */
  | { readonly type: "user-changed"; readonly userId: string };
