import { csp } from "fresh";
import type { Context } from "fresh";
import type { State } from "./define.ts";

const policy = csp<State>({
  useNonce: true,
  csp: ["img-src 'self' data: https:", "frame-ancestors 'none'", "base-uri 'none'"],
});

/** The policy of responses that are not pages. */
const NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** Adds the security headers. */
export async function securityHeaders(ctx: Context<State>): Promise<Response> {
  if (/^\/(?:ws|streams)\//.test(ctx.url.pathname)) return await ctx.next();
  const response = await withPolicy(ctx);
  const { headers } = response;
  headers.set("x-content-type-options", "nosniff");
  headers.set("referrer-policy", "same-origin");
  headers.set("cross-origin-opener-policy", "same-origin");
  if (ctx.state.peer.url.protocol === "https:") {
    headers.set("strict-transport-security", "max-age=31536000");
  }
  return response;
}

/** The development identity provider's pages have their own, stricter policy. */
async function withPolicy(ctx: Context<State>): Promise<Response> {
  if (ctx.url.pathname.startsWith("/auth/dev/")) return await ctx.next();
  const response = await policy(ctx);
  const directives = response.headers.get("content-security-policy") ?? "";
  response.headers.set("content-security-policy", tighten(directives, ctx));
  return response;
}

function tighten(directives: string, ctx: Context<State>): string {
  if (/script-src[^;]*'unsafe-inline'/.test(directives)) return NOTHING;
  return ctx.state.peer.url.protocol === "https:"
    ? directives
    : directives.replace("; upgrade-insecure-requests", "");
}
