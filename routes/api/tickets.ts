import { forPerson, json } from "../../app/api.ts";
import { define } from "../../app/define.ts";
import { byMethod } from "../../app/methods.ts";
import { issueTicket } from "../../app/tickets.ts";

/** A single-use ticket for one socket, for clients that have no cookie to show to it. */
export const handlers = define.handlers(byMethod({
  POST: (ctx) => forPerson(ctx, async (person) => json(await issueTicket(ctx, person), 201)),
}));
