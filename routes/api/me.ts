import { toPublicUser } from "@sluice/sluice/auth";
import { forPerson, json } from "../../app/api.ts";
import { define } from "../../app/define.ts";

/** Who is signed in. */
export const handlers = define.handlers({
  GET: (ctx) => forPerson(ctx, ({ user }) => json(toPublicUser(user))),
});
