import { define } from "../../app/define.ts";
import { byMethod } from "../../app/methods.ts";

/** The socket gate decides, and answers. */
export const handlers = define.handlers(byMethod({
  GET: (ctx) => ctx.state.services.realtime(ctx.req, ctx.info),
}));
