import { withReadBody } from "../../app/http/body.ts";
import { define } from "../../app/http/define.ts";
import { byMethod } from "../../app/http/methods.ts";

/** Hands requests to the socket handler: the histories of rooms, and their commands, over HTTP. */
export const handlers = define.handlers(byMethod({
  GET: (ctx) => ctx.state.services.realtime(ctx.req, ctx.info),
  POST: (ctx) => ctx.state.services.realtime(withReadBody(ctx), ctx.info),
}));
