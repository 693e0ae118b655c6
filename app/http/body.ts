import type { Context } from "fresh";
import { Refusal } from "@sluice/sluice";
import { problem, readBody } from "@sluice/sluice/server";
import type { State } from "./define.ts";

/**
 * Body limits of routes that accept more than 4 KiB, in bytes, by path prefix; `unread` if the
 * route reads its body itself.
 */
const BODY_LIMITS: Readonly<Record<string, number | "unread">> = {
  // Each consumer has its own limit: `maxBodyBytes`.
  "/ws/": "unread",
  // Commands of rooms.
  "/streams/": 65_536,
};

/**
 * Reads the body of every request before its route runs, with a size limit and a time limit. A
 * larger body is refused on every route, signed in or not, even if the route does not use it.
 */
export async function withBody(ctx: Context<State>): Promise<Response> {
  try {
    ctx.state.body = await readRouteBody(ctx);
  } catch (error) {
    if (error instanceof Refusal) return problem(error);
    throw error;
  }
  return await ctx.next();
}

async function readRouteBody({ req, url }: Context<State>): Promise<Uint8Array<ArrayBuffer>> {
  const start = Object.keys(BODY_LIMITS).find((start) => url.pathname.startsWith(start));
  const maxBytes = start === undefined ? undefined : BODY_LIMITS[start];
  if (typeof maxBytes === "number") return await readBody(req, { maxBytes });
  // No consumer gets the body of a GET.
  const isUnread = maxBytes === "unread" && req.method !== "GET" && req.method !== "HEAD";
  return isUnread ? new Uint8Array() : await readBody(req);
}

/** Returns the request with the body that was read. */
export function withReadBody({ req, state }: Context<State>): Request {
  const { method, headers, signal } = req;
  return new Request(req.url, { method, headers, signal, body: state.body });
}

/** Returns the fields of a form; none if the body is not a form. */
export async function formOf({ req, state }: Context<State>): Promise<FormData> {
  const headers = { "content-type": req.headers.get("content-type") ?? "" };
  return await new Response(state.body, { headers }).formData().catch(() => new FormData());
}

/** Returns the body as text. */
export function textOf({ state }: Context<State>): string {
  return new TextDecoder().decode(state.body);
}
