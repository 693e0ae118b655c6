import type { Context } from "fresh";
import { Refusal } from "@sluice/sluice";
import { bearerToken } from "@sluice/sluice/sessions";
import { forUser } from "../http/api.ts";
import { textOf } from "../http/body.ts";
import type { Identity } from "./identity.ts";
import type { State } from "../http/define.ts";

/** Longest path of a ticket, in characters. */
const MAX_PATH_LENGTH = 1024;

/** The paths for which there are tickets. */
const REALTIME = /^\/(?:ws|streams)\/./;

/**
 * Answers a request to a stream. A bearer token is replaced by a ticket, so that the socket handler
 * checks and ends a program's request like any other.
 *
 * *Security*: browsers never add a bearer token by themselves, so it needs no `Origin`; one that is
 * shown must be allowed. A cookie beside it is ignored, even if the token is invalid.
 */
export async function answerStream(ctx: Context<State>, request: Request): Promise<Response> {
  const { realtime, tickets } = ctx.state.services;
  const { headers } = request;
  const isBearer = bearerToken(headers) !== undefined &&
    !headers.get("sec-websocket-protocol")?.includes("sluice.ticket.");
  if (!isBearer) return await realtime(request, ctx.info);
  return await forUser(ctx, async ({ session }) => {
    const origin = headers.get("origin") ?? undefined;
    const { ticket } = await tickets.issue(session, { path: ctx.state.peer.url.pathname, origin });
    const shown = new Request(request);
    shown.headers.set("authorization", `Ticket ${ticket}`);
    return await realtime(shown, ctx.info);
  });
}

/** Issues a ticket for the socket or stream that a request names: `{ "path": "/ws/…" }`. */
export async function issueTicket(
  ctx: Context<State>,
  { session }: Identity,
): Promise<{ ticket: string; expiresAt: string }> {
  const path = readPath(ctx);
  const origin = ctx.req.headers.get("origin") ?? undefined;
  const { ticket, expiresAt } = await ctx.state.services.tickets.issue(session, { path, origin });
  return { ticket, expiresAt: new Date(expiresAt).toISOString() };
}

function readPath(ctx: Context<State>): string {
  const body = readJson(ctx);
  const path = typeof body === "object" && body !== null && "path" in body ? body.path : undefined;
  const origin = ctx.state.peer.url.origin;
  if (typeof path === "string" && REALTIME.test(path) && path.length <= MAX_PATH_LENGTH) {
    const url = URL.canParse(path, origin) ? new URL(path, origin) : undefined;
    if (url?.origin === origin && REALTIME.test(url.pathname)) return url.pathname;
  }
  throw new Refusal("INVALID_PATH", {
    status: 400,
    detail: 'Expected { "path": "/ws/…" } or "/streams/…": the path of the socket or stream',
  });
}

function readJson(ctx: Context<State>): unknown {
  try {
    return JSON.parse(textOf(ctx));
  } catch {
    return undefined;
  }
}
