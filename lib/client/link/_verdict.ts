import { reconnectAdvice } from "../../protocol/close_codes.ts";
import { type Backoff, backoffMs, parseRetryAfter, parseRetryWindow } from "../backoff.ts";

/** What the client does after the end of a connection or a failed attempt. */
export interface Verdict {
  readonly next: "retry" | "signed-out" | "refused" | "closed";
  readonly code?: number | string;
  readonly reason: string;
  /** Delay requested by the server, in milliseconds. */
  readonly waitMs?: number | undefined;
}

/** Returns the verdict on the close of a live connection. */
export function judgeClose(code: number, reason: string, backoff: Backoff): Verdict {
  const advice = reconnectAdvice(code);
  const windowMs = parseRetryWindow(reason);
  return {
    next: advice === "sign-in" ? "signed-out" : advice !== "stop" ? "retry" : endOf(code),
    code,
    reason,
    waitMs: advice === "retry-later"
      ? backoff.maxDelayMs + jitter(backoff)
      : windowMs && Math.floor(backoff.random() * windowMs),
  };
}

function endOf(code: number): Verdict["next"] {
  return code === 1000 ? "closed" : "refused";
}

/**
 * Returns the verdict on the response to a plain request for a socket's URL, which is refused like an
 * upgrade.
 *
 * 426 means that an upgrade would be accepted. Only a problem document with a known code refuses; any
 * other response comes from an intermediary (a proxy, a captive portal) and is temporary.
 */
export async function judgeResponse(response: Response, backoff: Backoff): Promise<Verdict> {
  const { status, headers } = response;
  const { code, reason } = await readProblem(response);
  if (status === 426) return { next: "retry", reason: "The upgrade failed" };
  const waitMs = parseRetryAfter(headers.get("retry-after"), headers.get("date"));
  return {
    next: status >= 400 && status < 500 ? nextOf(code) : "retry",
    code,
    reason,
    waitMs: waitMs === undefined ? waitMs : waitMs + jitter(backoff),
  };
}

/** Codes of the server end the attempts. After any other response the client retries. */
function nextOf(code: string): Verdict["next"] {
  if (/^(NOT_SIGNED_IN|SESSION_EXPIRED|TICKET_INVALID)$/.test(code)) return "signed-out";
  const isRefused = /^(ORIGIN_NOT_ALLOWED|NO_CONSUMER|FORBIDDEN|BAD_HANDSHAKE)$/.test(code);
  return isRefused ? "refused" : "retry";
}

/** Reads an `application/problem+json` body (RFC 9457); for other bodies, uses the status. */
async function readProblem(response: Response): Promise<{ code: string; reason: string }> {
  const type = response.headers.get("content-type") ?? "";
  const isProblem = /^application\/problem\+json *(;|$)/i.test(type);
  const problem: { code?: unknown; detail?: unknown; title?: unknown } | null | void = isProblem
    ? await response.json().catch(() => {})
    : void response.body?.cancel().catch(() => {});
  const { code = `HTTP_${response.status}`, title = "", detail = title } = problem ?? {};
  return { code: String(code), reason: String(detail) };
}

/** Adds jitter, so that clients with the same delay do not return at the same moment. */
function jitter(backoff: Backoff): number {
  return backoffMs(1, backoff);
}
