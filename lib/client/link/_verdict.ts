import { reconnectAdvice } from "../../protocol/mod.ts";
import { type Backoff, backoffMs, parseRetryAfter, parseRetryWindow } from "../backoff.ts";

/** Server codes that end the attempts. After any other response the client retries. */
const REFUSALS: ReadonlyMap<unknown, Verdict["next"]> = new Map([
  ["NOT_SIGNED_IN", "signed-out"],
  ["SESSION_EXPIRED", "signed-out"],
  ["TICKET_INVALID", "signed-out"],
  ["ORIGIN_NOT_ALLOWED", "refused"],
  ["NO_CONSUMER", "refused"],
  ["FORBIDDEN", "refused"],
  ["BAD_HANDSHAKE", "refused"],
]);

/** What the client does after the end of a connection or a failed attempt. */
export interface Verdict {
  readonly next: "retry" | "signed-out" | "refused" | "closed";
  readonly code?: number | string;
  readonly reason: string;
  /** Delay requested by the server, in milliseconds. */
  readonly waitMs?: number;
}

/** Returns the verdict on the close of a live connection. */
export function judgeClose(code: number, reason: string, backoff: Backoff): Verdict {
  switch (reconnectAdvice(code)) {
    case "stop":
      return { next: code === 1000 ? "closed" : "refused", code, reason };
    case "sign-in":
      return { next: "signed-out", code, reason };
    case "retry-later":
      return { next: "retry", code, reason, waitMs: backoff.maxDelayMs + jitter(backoff) };
    case "retry": {
      const windowMs = parseRetryWindow(reason);
      if (windowMs === undefined) return { next: "retry", code, reason };
      return { next: "retry", code, reason, waitMs: Math.floor(backoff.random() * windowMs) };
    }
  }
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
  if (status === 426) {
    return { next: "retry", reason: "The upgrade failed between client and server" };
  }
  const next = REFUSALS.get(code);
  if (next && status >= 400 && status < 500) return { next, code, reason };
  const waitMs = parseRetryAfter(headers.get("retry-after"), headers.get("date"));
  if (waitMs === undefined) return { next: "retry", code, reason };
  return { next: "retry", code, reason, waitMs: waitMs + jitter(backoff) };
}

/** Reads an `application/problem+json` body (RFC 9457); for other bodies, uses the status. */
async function readProblem(response: Response): Promise<{ code: string; reason: string }> {
  const isProblem = /^application\/problem\+json *(;|$)/i.test(
    response.headers.get("content-type") ?? "",
  );
  const problem: { code?: unknown; detail?: unknown; title?: unknown } | null = isProblem
    ? await response.json().catch(() => null)
    : await response.body?.cancel().catch(() => {}) ?? null;
  const { code = `HTTP_${response.status}`, title = "", detail = title } = problem ?? {};
  return { code: String(code), reason: String(detail) };
}

/** Adds jitter, so that clients with the same delay do not return at the same moment. */
function jitter(backoff: Backoff): number {
  return backoffMs(1, backoff);
}
