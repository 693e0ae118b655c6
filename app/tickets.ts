import type { Context } from "fresh";
import { Refusal } from "@sluice/sluice";
import type { Person, State } from "./define.ts";

/** Longest path that a ticket is for, in characters. */
const MAX_PATH_LENGTH = 1024;

/** Longest request that is read, in bytes. */
const MAX_BODY_BYTES = 4096;

/** Writes a ticket for the socket that a request names: `{ "path": "/ws/…" }`. */
export async function issueTicket(
  ctx: Context<State>,
  { session }: Person,
): Promise<{ ticket: string; expiresAt: string }> {
  const path = await readPath(ctx);
  const origin = ctx.req.headers.get("origin") ?? undefined;
  const { ticket, expiresAt } = await ctx.state.services.tickets.issue(session, { path, origin });
  return { ticket, expiresAt: new Date(expiresAt).toISOString() };
}

async function readPath(ctx: Context<State>): Promise<string> {
  const body: unknown = await readJson(ctx.req);
  const path = typeof body === "object" && body !== null && "path" in body ? body.path : undefined;
  const origin = ctx.state.peer.url.origin;
  if (typeof path === "string" && /^\/ws\/./.test(path) && path.length <= MAX_PATH_LENGTH) {
    const url = URL.canParse(path, origin) ? new URL(path, origin) : undefined;
    if (url?.origin === origin && url.pathname.startsWith("/ws/")) return url.pathname;
  }
  throw new Refusal("INVALID_PATH", {
    status: 400,
    detail: 'Expected { "path": "/ws/…" }: the path of the socket',
  });
}

async function readJson(request: Request): Promise<unknown> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) return undefined;
  try {
    const text = await request.text();
    return text.length > MAX_BODY_BYTES ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
