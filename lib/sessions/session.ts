/** A session, without its secrets. */
export interface Session {
  /** Identifies the session in lists, logs and URLs; not a secret. */
  readonly id: string;
  /** The id of the user. */
  readonly userId: string;
  /** The id of the user's provider: `github`, `dev`, … */
  readonly provider: string;
  /** The holder of the session: a browser, or a program that a browser session approved. */
  readonly kind: "browser" | "program";
  /** When it began, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** When the user authenticated; the absolute limit starts here. */
  readonly signedInAt: number;
  /** When it was last used, in milliseconds since the epoch; may lag by up to an hour. */
  readonly lastSeenAt: number;
  /** When it ends unless used again: the earlier of the idle and the absolute limit. */
  readonly expiresAt: number;
  /** When its current secret was issued, in milliseconds since the epoch. */
  readonly secretSince: number;
  /** How often it has ended the other sessions of its user. Earlier approvals are void. */
  readonly revocations: number;
  /** The `User-Agent` at sign-in, at most 256 characters. */
  readonly userAgent: string;
  /** The client's address at sign-in. */
  readonly address: string | undefined;
}

/** How long sessions live, in milliseconds. */
export interface SessionLifetime {
  /** Idle time after which a session ends. */
  readonly idleTtlMs: number;
  /** Time after sign-in at which a session ends, used or not. */
  readonly maxTtlMs: number;
}

/** A session and its new token. */
export interface NewToken {
  /** The session. */
  readonly session: Session;
  /** *Security*: a credential; send it to the browser or client only. */
  readonly token: string;
}

/** The result of looking up a token. */
export type FoundSession =
  | {
    readonly state: "live";
    readonly session: Session;
    /**
     * The token that replaces the presented one, if its secret was renewed and the new one is
     * unseen.
     *
     * *Security*: send it only to the browser that presented the old one.
     */
    readonly renewedToken?: string;
  }
  | { readonly state: "expired" }
  | { readonly state: "unknown" };

/**
 * Why a session ended.
 *
 * @internal
 */
export type SessionEndReason =
  | "signed-out"
  | "revoked"
  | "replaced"
  | "expired"
  | "stolen"
  | "user-removed"
  | "user-banned";

/** An event that ends sessions. @internal */
export type EndingEvent = Extract<SessionEvent, { readonly type: "ended" | "user-ended" }>;

/** A change of a session or its user, confirmed by the store. Holds no secret. */
export type SessionEvent =
  /** A session ended. */
  | {
    readonly type: "ended";
    readonly sessionId: string;
    readonly userId: string;
    readonly reason: SessionEndReason;
    /** The user who ended it, if it was someone else. */
    readonly by?: string;
  }
  /** A session was renewed, or got another secret. */
  | { readonly type: "renewed"; readonly session: Session }
  /** All sessions of a user that began until `at` ended. */
  | {
    readonly type: "user-ended";
    readonly userId: string;
    readonly reason: SessionEndReason;
    /** In milliseconds since the epoch; if undefined, all sessions open when the event is read. */
    readonly at?: number;
    /** The user who caused it. */
    readonly by?: string;
  }
  /** A user's name, picture or roles changed. */
  | { readonly type: "user-changed"; readonly userId: string };
