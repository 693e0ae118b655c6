import { toPublicUser } from "@sluice/sluice/auth";
import { forUser, json } from "../../app/http/api.ts";
import { define } from "../../app/http/define.ts";
import { byMethod } from "../../app/http/methods.ts";

/** Returns the signed-in user. */
export const handlers = define.handlers(byMethod({
  GET: (ctx) => forUser(ctx, ({ user }) => json(toPublicUser(user))),
}));
