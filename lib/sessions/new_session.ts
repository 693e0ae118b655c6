import type { Session, SessionKind } from "./session.ts";
import type { SessionRecord } from "./session_store.ts";
import { hashSecret, type SessionToken } from "./session_token.ts";

const MAX_USER_AGENT_LENGTH = 256;
const MAX_ADDRESS_LENGTH = 64;

/** What a session begins with. */
export interface NewSession {
  readonly userId: string;
  /** Who vouched for the person. */
  readonly provider: string;
  /** What the browser calls itself. */
  readonly userAgent?: string | undefined;
  readonly address?: string | undefined;
  /** @default {"browser"} */
  readonly kind?: SessionKind;
  /**
   * When the user proved who they are, in milliseconds since the epoch: a session that another one
   * approved ends when that one's absolute limit is reached. @default {now}
   */
  readonly signedInAt?: number;
  /** An id from {@linkcode Sessions.reserveId}. @default {a new one} */
  readonly id?: string;
}

/** A session that has just got a token. */
export interface NewToken {
  readonly session: Session;
  /** *Security*: the proof; goes to the browser or client, and nowhere else. */
  readonly token: string;
}

/** A session whose secret was renewed. */
export interface RenewedToken extends NewToken {
  /** Whether this call renewed it; false if another one did, whose answer may be lost. */
  readonly isNew: boolean;
}

/** Returns what is stored of a new session; when it may be forgotten is not known yet. */
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

function cleanText(text: string, maxLength: number): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "").slice(0, maxLength);
}
