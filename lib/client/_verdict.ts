import { reconnectAdvice } from "../protocol/mod.ts";
import { type Backoff, backoffMs, parseRetryAfter, parseRetryWindow } from "./backoff.ts";

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
 * 426 says that it would have been let in. What is neither a refusal nor an overload comes from
 * something in between (a proxy, the sign-in page of a network), which passes.
 */
export async function judgeResponse(
  response: Response,
  now: number,
  backoff: Backoff,
): Promise<Verdict> {
  const { status } = response;
  if (status === 426) return { next: "retry", reason: "The upgrade failed on its way" };
  const { code, reason } = await readProblem(response);
  if (status === 401) return { next: "signed-out", code, reason };
  const mayPass = status < 400 || status >= 500 || [408, 425, 429].includes(status);
  if (!mayPass) return { next: "refused", code, reason };
  const waitMs = parseRetryAfter(response.headers.get("retry-after"), now);
  if (waitMs === undefined) return { next: "retry", code, reason };
  return { next: "retry", code, reason, waitMs: waitMs + jitter(backoff) };
}

/** Reads an `application/problem+json` (RFC 9457), or says the status. */
async function readProblem(response: Response): Promise<{ code: string; reason: string }> {
  const problem: Record<string, unknown> = await response.json().catch(() => null) ?? {};
  const { code = `HTTP_${response.status}`, detail = problem.title ?? "" } = problem;
  return { code: String(code), reason: String(detail) };
}

/** Keeps clients that were told the same wait from coming back at the same moment. */
function jitter(backoff: Backoff): number {
  return backoffMs(1, backoff);
}
