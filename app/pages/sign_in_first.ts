import type { Context } from "fresh";
import { Refusal } from "@sluice/sluice";
import { bearerToken } from "@sluice/sluice/sessions";
import type { State } from "../http/define.ts";

/**
 * Redirects a browser without a session to the sign-in page, which leads back here.
 *
 * @throws {Refusal} `NOT_SIGNED_IN`: the request has a bearer token, so it is not a browser's.
 */
export function signInFirst({ url, req }: Context<State>): Response {
  if (bearerToken(req.headers) !== undefined) {
    throw new Refusal("NOT_SIGNED_IN", { detail: "This page does not accept bearer tokens" });
  }
  const query = new URLSearchParams({ return_to: url.pathname + url.search });
  const headers = { location: `/signin?${query}`, "cache-control": "no-store" };
  return new Response(null, { status: 303, headers });
}
