import type { Context } from "fresh";
import type { State } from "./define.ts";

/** What the path of a request grants to the page that sent it. */
export interface CrossOriginGrant {
  /** Whether pages of other origins may use the path at all: then the response varies with them. */
  readonly isShared: boolean;
  /** The CORS headers for the page; undefined if it is of this site, or not allowed. */
  readonly headers: Headers | undefined;
}

/** Returns what the path of a request grants to the page that sent it. */
export function crossOriginGrant(ctx: Context<State>): CrossOriginGrant {
  const { services: { crossOrigin }, peer } = ctx.state;
  const rules = crossOrigin.rulesFor(ctx.url.pathname);
  return { isShared: rules !== undefined, headers: rules?.headersFor(ctx.req, peer.url) };
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
