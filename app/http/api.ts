import type { Context } from "fresh";
import { Refusal } from "@sluice/sluice";
import { problem } from "@sluice/sluice/server";
import type { Identity } from "../auth/identity.ts";
import type { State } from "./define.ts";

/** Answers an API request of a signed-in user; other requests get a problem, 401. */
export async function forUser(
  ctx: Context<State>,
  answer: (identity: Identity) => Response | Promise<Response>,
): Promise<Response> {
  try {
    const identity = await ctx.state.identityOrRefusal();
    return identity instanceof Refusal ? problem(identity) : await answer(identity);
  } catch (error) {
    if (error instanceof Refusal) return problem(error);
    ctx.state.services.log.error("An API request failed", { path: ctx.url.pathname, error });
    return problem(new Refusal("INTERNAL"));
  }
}

/** Returns a JSON response that is not cached. */
export function json(value: unknown, status = 200): Response {
  return Response.json(value, { status, headers: { "cache-control": "no-store" } });
}

/** Returns an empty success response. */
export function done(): Response {
  return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
}
