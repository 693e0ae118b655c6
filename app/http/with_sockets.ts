import type { Context } from "fresh";
import type { State } from "./define.ts";

/**
 * Hands paths below `/ws/` and `/streams/` that no route matches, such as `/ws/echo/`, to the socket
 * handler.
 *
 * *Security*: its checks come first for each of them, and their refusals have its codes.
 */
export function withSockets(ctx: Context<State>): Response | Promise<Response> {
  const isUnrouted = ctx.route === null && ctx.req.method === "GET";
  if (!isUnrouted || !/^\/(?:ws|streams)\//.test(ctx.state.peer.url.pathname)) return ctx.next();
  return ctx.state.services.realtime(ctx.req, ctx.info);
}
