import { forPerson, json } from "../../app/api.ts";
import { define } from "../../app/define.ts";
import { byMethod } from "../../app/methods.ts";
import { issueTicket } from "../../app/tickets.ts";

/** Issues a single-use ticket for one socket, for clients that cannot send a cookie. */
export const handlers = define.handlers(byMethod({
  POST: (ctx) => forPerson(ctx, async (person) => json(await issueTicket(ctx, person), 201)),
}));
