import type { Context } from "fresh";
import { Refusal } from "@sluice/sluice";
import { problem, readBody } from "@sluice/sluice/server";
import type { State } from "./define.ts";

/** Body limits of routes that accept more than 4 KiB, in bytes, by path prefix. */
const BODY_LIMITS: Readonly<Record<string, number>> = {
  // What clients send to their event streams. Each message has the limit of its socket.
  "/ws/": 524_288,
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
  // No consumer gets the body of a GET.
  const isGet = req.method === "GET" || req.method === "HEAD";
  return await readBody(req, isGet || maxBytes === undefined ? {} : { maxBytes });
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
