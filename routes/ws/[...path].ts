import { withReadBody } from "../../app/http/body.ts";
import { define } from "../../app/http/define.ts";
import { byMethod } from "../../app/http/methods.ts";

/** Hands requests to the socket handler. */
export const handlers = define.handlers(byMethod({
  GET: (ctx) => ctx.state.services.realtime(ctx.req, ctx.info),
  // Event streams, and what their clients send.
  POST: (ctx) => ctx.state.services.realtime(withReadBody(ctx), ctx.info),
}));
