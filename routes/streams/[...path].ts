import { answerStream } from "../../app/auth/tickets.ts";
import { withReadBody } from "../../app/http/body.ts";
import { define } from "../../app/http/define.ts";
import { byMethod } from "../../app/http/methods.ts";

/** Hands requests to the socket handler: the histories of rooms, and their commands, over HTTP. */
export const handlers = define.handlers(byMethod({
  GET: (ctx) => answerStream(ctx, ctx.req),
  POST: (ctx) => answerStream(ctx, withReadBody(ctx)),
}));
