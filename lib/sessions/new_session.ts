import type { Session, SessionKind } from "./session.ts";
import type { SessionRecord } from "./session_store.ts";
import { hashSecret, type SessionToken } from "./tokens/session_token.ts";

const MAX_USER_AGENT_LENGTH = 256;
const MAX_ADDRESS_LENGTH = 64;

/** The properties of a new session. */
export interface NewSession {
  readonly userId: string;
  /** The id of the provider that the user signed in with. */
  readonly provider: string;
  /** The browser's `User-Agent`. */
  readonly userAgent?: string | undefined;
  readonly address?: string | undefined;
  /** @default {"browser"} */
  readonly kind?: SessionKind;
  /**
   * When the user authenticated, in milliseconds since the epoch. A session approved by another one
   * ends when that one reaches its absolute limit. @default {now}
   */
  readonly signedInAt?: number;
  /** An id from {@linkcode Sessions.reserveId}. @default {a new one} */
  readonly id?: string;
}

/** A session and its new token. */
export interface NewToken {
  readonly session: Session;
  /** *Security*: a credential; send it to the browser or client only. */
  readonly token: string;
}

/** A session and its renewed token. */
export interface RenewedToken extends NewToken {
  /** Whether this call renewed it; false if another call did, whose response may be lost. */
  readonly isNew: boolean;
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

function cleanText(text: string, maxLength: number): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "").slice(0, maxLength);
}
