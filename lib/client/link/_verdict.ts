import { isFinal } from "../../protocol/close_codes.ts";
import { type Backoff, backoffMs, parseRetryAfter, parseRetryWindow } from "../backoff.ts";

/** What the client does after the end of a connection or a failed attempt. */
export interface Verdict {
  readonly next: "retry" | "signed-out" | "refused" | "closed";
  readonly code?: number | string;
  readonly reason: string;
  /** Delay requested by the server, in milliseconds. */
  readonly waitMs?: number | undefined;
  /** Whether something between client and server seems to break WebSockets. */
  readonly isBroken?: boolean;
}

/** Returns the verdict on the close of a live connection. Codes are numbers, which take less space. */
export function judgeClose(code: number, reason: string, backoff: Backoff): Verdict {
  const windowMs = parseRetryWindow(reason);
  let next: Verdict["next"] = "retry";
  if (code === 4401) next = "signed-out";
  else if (isFinal(code)) next = code === 1000 ? "closed" : "refused";
  const waitMs = code === 4429
    ? backoff.maxDelayMs + backoffMs(1, backoff)
    : windowMs && Math.floor(backoff.random() * windowMs);
  return { next, code, reason, waitMs };
}

/** Codes of the server that end the attempts. After any other response the client retries. */
const SIGNED_OUT = /^(NOT_SIGNED_IN|SESSION_EXPIRED|TICKET_INVALID)$/;
const REFUSED = /^(ORIGIN_NOT_ALLOWED|NO_CONSUMER|FORBIDDEN|BAD_HANDSHAKE)$/;

/**
 * Returns the verdict on the response to a plain request for a socket's URL, which is refused like an
 * upgrade.
 *
 * 426 means that an upgrade would be accepted. Only a problem document (RFC 9457) with a known code
 * refuses; any other response comes from an intermediary (a proxy, a captive portal) and is temporary.
 */
export async function judgeResponse(response: Response, backoff: Backoff): Promise<Verdict> {
  const { status, headers } = response;
  const isProblem = /^application\/problem\+json *(;|$)/i.test(headers.get("content-type") ?? "");
  const problem: { code?: unknown; detail?: unknown } | null | void = isProblem
    ? await response.json().catch(() => {})
    : void response.body?.cancel().catch(() => {});
  if (status === 426) return { next: "retry", reason: "The upgrade failed", isBroken: true };
  // Jitter, so that clients with the same delay do not return at the same moment.
  const waitMs = parseRetryAfter(headers.get("retry-after"), headers.get("date"));
  const code = String(problem?.code ?? `HTTP_${status}`);
  let next: Verdict["next"] = "retry";
  if (status >= 400 && status < 500) {
    if (SIGNED_OUT.test(code)) next = "signed-out";
    if (REFUSED.test(code)) next = "refused";
  }
  return {
    next,
    code,
    reason: String(problem?.detail ?? ""),
    waitMs: waitMs === undefined ? waitMs : waitMs + backoffMs(1, backoff),
  };
}
