import type { Context } from "../context.ts";
import { HttpError } from "../error.ts";
import type { Middleware } from "../routing/chain.ts";

/** Options of {@linkcode csrf}. */
// As documented, the options have no state type; a test accepts any context.
// deno-lint-ignore no-explicit-any
export interface CsrfOptions<State = any> {
  /** Origins that may send requests that change something. @default the app's own */
  origin?: string | string[] | ((origin: string, context: Context<State>) => boolean);
}

/** Refuses cross-site requests that change something with 403, unless their origin is allowed. */
export function csrf<State>(options: CsrfOptions = {}): Middleware<State> {
  return async (ctx) => {
    const { method, headers } = ctx.req;
    if (method === "GET" || method === "HEAD" || method === "OPTIONS") return await ctx.next();
    const site = headers.get("Sec-Fetch-Site");
    const origin = headers.get("Origin");
    // Without both headers, the request is not from a browser, so no cookies are misused.
    const isOwn = site === null ? origin === null : site === "same-origin" || site === "none";
    if (isOwn || isAllowed(origin, ctx, options)) return await ctx.next();
    throw new HttpError(403);
  };
}

function isAllowed<State>(
  origin: string | null,
  ctx: Context<State>,
  { origin: allowed }: CsrfOptions,
): boolean {
  if (origin === null) return false;
  if (!allowed) return origin === ctx.url.origin;
  if (typeof allowed === "function") return allowed(origin, ctx);
  return typeof allowed === "string" ? origin === allowed : allowed.includes(origin);
}
