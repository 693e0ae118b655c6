import type { Context } from "fresh";
import type { State } from "../../app/define.ts";

/** Sends somebody who is not signed in to the sign-in page, which brings them back. */
export function signInFirst({ url }: Context<State>): Response {
  const query = new URLSearchParams({ return_to: url.pathname + url.search });
  const headers = { location: `/signin?${query}`, "cache-control": "no-store" };
  return new Response(null, { status: 303, headers });
}
