import type { Context } from "fresh";
import type { State } from "./define.ts";

/** What pages of the allowed origins may use; everything else is for this site alone. */
const OPEN_TO_FRIENDS = /^\/(?:ws\/|api\/tickets$)/;

/** Returns the headers that let the page of an allowed origin read the answer, where it may. */
export function crossOriginHeaders(ctx: Context<State>): Headers | undefined {
  if (!OPEN_TO_FRIENDS.test(ctx.url.pathname)) return undefined;
  const { crossOrigin } = ctx.state.services;
  return crossOrigin.headersFor(ctx.req, ctx.state.peer.url);
}

/** Answers a preflight. */
export function answerPreflight(headers: Headers): Response {
  return new Response(null, { status: 204, headers });
}

/** Adds headers to an answer. An upgrade has none to add. */
export function withHeaders(response: Response, headers: Headers): Response {
  if (response.status === 101) return response;
  for (const [name, value] of headers) response.headers.append(name, value);
  return response;
}
