import type { Context } from "fresh";
import type { State } from "./define.ts";

/** The paths that pages of allowed origins may use; all others are for this site only. */
const OPEN_TO_FRIENDS = /^\/(?:ws\/|streams\/|api\/tickets$)/;

/** Returns the CORS headers for a page of an allowed origin, if the path is open to it. */
export function crossOriginHeaders(ctx: Context<State>): Headers | undefined {
  if (!OPEN_TO_FRIENDS.test(ctx.url.pathname)) return undefined;
  const { crossOrigin } = ctx.state.services;
  return crossOrigin.headersFor(ctx.req, ctx.state.peer.url);
}

/** Answers a preflight request. */
export function answerPreflight(headers: Headers): Response {
  return new Response(null, { status: 204, headers });
}

/** Adds headers to a response, except to an upgrade. */
export function withHeaders(response: Response, headers: Headers): Response {
  if (response.status === 101) return response;
  for (const [name, value] of headers) response.headers.append(name, value);
  return response;
}
