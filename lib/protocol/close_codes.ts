/**
 * Why a socket was closed, as the number in its close frame.
 *
 * Codes 1000 to 1013 are those of RFC 6455 §7.4.1 and the IANA registry; the last three digits of 4400
 * to 4429 are the corresponding HTTP status.
 */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  /** Never sent: reported by a peer that received a close frame without a code. */
  noStatus: 1005,
  /** Never sent: reported by a peer that received no close frame. */
  abnormal: 1006,
  invalidPayload: 1007,
  messageTooLarge: 1009,
  internalError: 1011,
  restart: 1012,
  overload: 1013,
  tooManyInvalid: 4400,
  sessionOver: 4401,
  forbidden: 4403,
  tooSlow: 4408,
  tooFast: 4429,
} as const;

/** A code with which Sluice closes a socket. */
export type CloseCode = typeof CloseCode[keyof typeof CloseCode];

/**
 * What a client should do after a close: `retry` with backoff, `retry-later` after at least the
 * longest backoff, `sign-in` before any further attempt, or `stop`.
 */
export type ReconnectAdvice = "retry" | "retry-later" | "sign-in" | "stop";

/** Final codes below 4000. Numbers, so that the client does not contain the table of codes. */
const FINAL: readonly number[] = [1000, 1002, 1003, 1007, 1009];

/** Codes from 4000 on that are not final. */
const NOT_FINAL: readonly number[] = [4401, 4408, 4429];

/**
 * Returns whether and when a client should reconnect after `code`.
 *
 * For other codes it returns `retry` below 4000, because the connection may have been lost, and `stop`
 * from 4000 to 4999, because the application that defines the code is unknown.
 */
export function reconnectAdvice(code: number): ReconnectAdvice {
  if (code === CloseCode.sessionOver) return "sign-in";
  if (code === CloseCode.tooFast) return "retry-later";
  return isFinal(code) ? "stop" : "retry";
}

/** Returns whether a client should not reconnect after `code`. */
export function isFinal(code: number): boolean {
  return FINAL.includes(code) || (code >= 4000 && !NOT_FINAL.includes(code));
}

/** Returns whether an endpoint may send `code` in a close frame (RFC 6455 §7.4.2). */
export function isSendableCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}
