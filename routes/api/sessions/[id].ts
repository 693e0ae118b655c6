import { Refusal } from "@sluice/sluice";
import { problem } from "@sluice/sluice/server";
import { done, forUser } from "../../../app/http/api.ts";
import { define } from "../../../app/http/define.ts";
import { byMethod } from "../../../app/http/methods.ts";

const NO_SESSION = { status: 404, detail: "You have no session with this id" };

/** Ends a session of the signed-in user. Sessions of other users are not found. */
export const handlers = define.handlers(byMethod({
  DELETE: (ctx) =>
    forUser(ctx, async ({ user }) => {
      const { sessions } = ctx.state.services;
      const isEnded = await sessions.end(ctx.params.id!, "revoked", { userId: user.id });
      return isEnded ? done() : problem(new Refusal("NO_SESSION", NO_SESSION));
    }),
}));
