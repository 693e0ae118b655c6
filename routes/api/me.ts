import { toPublicUser } from "@sluice/sluice/auth";
import { forPerson, json } from "../../app/api.ts";
import { define } from "../../app/define.ts";
import { byMethod } from "../../app/methods.ts";

/** Returns the signed-in user. */
export const handlers = define.handlers(byMethod({
  GET: (ctx) => forPerson(ctx, ({ user }) => json(toPublicUser(user))),
}));
