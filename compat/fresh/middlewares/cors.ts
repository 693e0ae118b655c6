import type { Context } from "../context.ts";
import type { Middleware } from "../routing/chain.ts";

/** Options of {@linkcode cors}, named after the headers they set. */
export interface CORSOptions<State> {
  /** Origins that may read responses. @default {"*"} */
  origin:
    | string
    | string[]
    | ((origin: string, ctx: Context<State>) => string | undefined | null);
  /** @default GET, HEAD, PUT, POST, DELETE and PATCH */
  allowMethods?: string[];
  /** @default the requested ones */
  allowHeaders?: string[];
  /** How long a browser may cache a preflight response, in seconds. */
  maxAge?: number;
  /** Whether cookies may be sent. @default {false} */
  credentials?: boolean;
  exposeHeaders?: string[];
}

const METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"];

/** Lets pages of other origins read responses, and answers their preflights. */
export function cors<State>(options?: CORSOptions<State>): Middleware<State> {
  const { origin = "*", ...rest } = options ?? {};
  return async (ctx) => {
    const allowed = allowedOrigin(origin, ctx);
    const vary = origin !== "*" && allowed && allowed !== "*" ? ["Origin"] : [];
    if (ctx.req.method === "OPTIONS") return preflight(ctx.req, allowed, rest, vary);
    const response = await ctx.next();
    setShared(response.headers, allowed, rest);
    addVary(response.headers, vary);
    return response;
  };
}

function allowedOrigin<State>(
  origin: CORSOptions<State>["origin"],
  ctx: Context<State>,
): string | null {
  const asking = ctx.req.headers.get("origin") ?? "";
  if (typeof origin === "function") return origin(asking, ctx) ?? null;
  if (origin === "*") return "*";
  return (typeof origin === "string" ? origin === asking : origin.includes(asking)) ? asking : null;
}

type Rest = Omit<CORSOptions<unknown>, "origin">;

function setShared(headers: Headers, allowed: string | null, options: Rest): void {
  if (allowed) headers.set("Access-Control-Allow-Origin", allowed);
  if (options.credentials) headers.set("Access-Control-Allow-Credentials", "true");
  if (options.exposeHeaders?.length) {
    headers.set("Access-Control-Expose-Headers", options.exposeHeaders.join(","));
  }
}

function preflight(
  req: Request,
  allowed: string | null,
  options: Rest,
  vary: string[],
): Response {
  const headers = new Headers();
  setShared(headers, allowed, options);
  const { allowMethods = METHODS, maxAge } = options;
  if (maxAge != null) headers.set("Access-Control-Max-Age", String(maxAge));
  if (allowMethods.length) headers.set("Access-Control-Allow-Methods", allowMethods.join(","));
  const asked = req.headers.get("Access-Control-Request-Headers")?.split(/\s*,\s*/);
  const names = options.allowHeaders?.length ? options.allowHeaders : asked;
  if (names?.length) {
    headers.set("Access-Control-Allow-Headers", names.join(","));
    vary.push("Access-Control-Request-Headers");
  }
  addVary(headers, vary);
  return new Response(null, { status: 204, headers });
}

function addVary(headers: Headers, names: string[]): void {
  if (names.length === 0) return;
  const before = headers.get("Vary")?.split(/\s*,\s*/) ?? [];
  headers.set("Vary", [...new Set([...names, ...before])].join(", "));
}
