import { SUBPROTOCOL, TICKET_PREFIX } from "../../protocol/limits.ts";
import { judgeResponse, type Verdict } from "./_verdict.ts";
import type { LinkOptions } from "./link_options.ts";

/**
 * Finds the reason of a failed upgrade, which browsers hide from scripts, with a plain request to the
 * same URL.
 */
export async function askWhy(
  options: LinkOptions,
  signal: AbortSignal,
): Promise<Verdict> {
  const { url, environment, ticket } = options;
  const headers: Record<string, string> = { accept: "application/problem+json" };
  // Browsers drop this header; elsewhere it makes the response the same as for the upgrade.
  if (ticket) {
    headers["sec-websocket-protocol"] = `${SUBPROTOCOL}, ${TICKET_PREFIX}${await ticket()}`;
  }
  const response = await environment.fetch(url.replace(/^ws/, "http"), {
    headers,
    signal,
    credentials: "include",
    cache: "no-store",
    redirect: "manual",
  });
  const verdict = await judgeResponse(response, options);
  // Without the ticket the request has no user: the next call of `ticket` shows the real state.
  const isBlind = ticket && verdict.code === "NOT_SIGNED_IN";
  return isBlind ? { next: "retry", reason: "" } : verdict;
}
