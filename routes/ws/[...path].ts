import { define } from "../../app/define.ts";

/** The socket gate decides, and answers. */
export const handlers = define.handlers({
  GET: (ctx) => ctx.state.services.realtime(ctx.req, ctx.info),
});
