import type { Log } from "../core/log.ts";
import { leaveBody } from "../core/read_body.ts";
import { Refusal } from "../protocol/mod.ts";
import { AbortedResponse } from "./connection/http_exchange.ts";
import { isHost, refusalOfHost } from "./peer.ts";
import { problem } from "./problem.ts";
import { refusalOfError } from "./refusals.ts";

/** Returns the response to a request that failed: a thrown `Refusal`, or 500. */
export function answerError(error: unknown, log: Log): Response {
  const refusal = refusalOfError(error);
  if (refusal !== undefined) return problem(refusal);
  if (error instanceof AbortedResponse) {
    log.debug("A response ended early", { error });
    return new Response(null, { status: 503 }); // Not sent: the response has started.
  }
  log.error("A request failed", { error });
  return problem(Refusal.of("INTERNAL"));
}

/** What {@linkcode refusalOfRequest} knows about the server. */
export interface ServerSite {
  readonly log: Log;
  /** See `ServeOptions`. */
  readonly publicUrl?: string | undefined;
}

/**
 * Returns the refusal of a request that no handler can rely on: a malformed host, or an https URL over
 * plain http, unless the site's own address is known.
 *
 * @param url The URL as received, which may be invalid.
 */
export function refusalOfRequest(
  host: string | null,
  url: string,
  { log, publicUrl }: ServerSite,
): Refusal | undefined {
  if (host !== null && !isHost(host)) return refusalOfHost(host, log);
  // An absolute-form request target (RFC 9110 §7.4): its scheme would be mistaken for the site's own.
  return publicUrl === undefined && /^https:/i.test(url)
    ? new Refusal("MISDIRECTED", { status: 421, detail: HTTPS })
    : undefined;
}

const HTTPS = "The URL is https but the connection is not";

/**
 * Waits for the response to a request, and leaves the rest of a body that the handler did not read: the
 * runtime would read and discard it.
 */
export async function answerAndLeave(
  request: Request,
  answer: () => Response | Promise<Response>,
  log: Log,
): Promise<Response> {
  const response = await Promise.resolve().then(answer).catch((error) => answerError(error, log));
  if (response.status !== 101) leaveBody(request);
  return response;
}

/** Returns whether a request may have a body. */
export function mayHaveBody({ method }: Request): boolean {
  return method !== "GET" && method !== "HEAD";
}
