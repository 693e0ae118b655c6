import { define } from "../../app/define.ts";
import { byMethod } from "../../app/methods.ts";

/** Hands requests to the socket handler. */
export const handlers = define.handlers(byMethod({
  GET: (ctx) => ctx.state.services.realtime(ctx.req, ctx.info),
}));
