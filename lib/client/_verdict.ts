import { reconnectAdvice } from "../protocol/mod.ts";
import { type Backoff, backoffMs, parseRetryAfter, parseRetryWindow } from "./backoff.ts";

/** The codes of the gate that end the attempts. Any other answer is one to try again after. */
const REFUSALS: ReadonlyMap<unknown, Verdict["next"]> = new Map([
  ["NOT_SIGNED_IN", "signed-out"],
  ["SESSION_EXPIRED", "signed-out"],
  ["TICKET_INVALID", "signed-out"],
  ["ORIGIN_NOT_ALLOWED", "refused"],
  ["NO_CONSUMER", "refused"],
  ["FORBIDDEN", "refused"],
  ["BAD_HANDSHAKE", "refused"],
]);

/** What follows from the end of a connection or from a failed attempt. */
export interface Verdict {
  readonly next: "retry" | "signed-out" | "refused" | "closed";
  readonly code?: number | string;
  readonly reason: string;
  /** What the server asked to wait, in milliseconds. */
  readonly waitMs?: number;
}

/** Judges the end of a connection that was live. */
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
 * Judges the answer to a plain request of a socket's address: what an upgrade would have got.
 *
 * 426 says that it would have been let in. Only a problem document with a code of the gate refuses; any
 * other answer comes from something in between (a proxy, the sign-in page of a network), which passes.
 */
export async function judgeResponse(response: Response, backoff: Backoff): Promise<Verdict> {
  const { status, headers } = response;
  const { code, reason } = await readProblem(response);
  if (status === 426) return { next: "retry", reason: "The upgrade failed on its way" };
  const next = REFUSALS.get(code);
  if (next && status >= 400 && status < 500) return { next, code, reason };
  const waitMs = parseRetryAfter(headers.get("retry-after"), headers.get("date"));
  if (waitMs === undefined) return { next: "retry", code, reason };
  return { next: "retry", code, reason, waitMs: waitMs + jitter(backoff) };
}

/** Reads an `application/problem+json` (RFC 9457); of anything else, the status. */
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

/** Keeps clients that were told the same wait from coming back at the same moment. */
function jitter(backoff: Backoff): number {
  return backoffMs(1, backoff);
}
