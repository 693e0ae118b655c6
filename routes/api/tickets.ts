import { forUser, json } from "../../app/http/api.ts";
import { define } from "../../app/http/define.ts";
import { byMethod } from "../../app/http/methods.ts";
import { issueTicket } from "../../app/auth/tickets.ts";

/** Issues a single-use ticket for one socket, for clients that cannot send a cookie. */
export const handlers = define.handlers(byMethod({
  POST: (ctx) => forUser(ctx, async (identity) => json(await issueTicket(ctx, identity), 201)),
}));
