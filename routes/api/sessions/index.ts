import { done, forUser, json } from "../../../app/http/api.ts";
import { define } from "../../../app/http/define.ts";
import { byMethod } from "../../../app/http/methods.ts";
import { listSessions } from "../../../app/auth/sessions.ts";

/** Lists the sessions of the signed-in user; `DELETE` ends all but the current one. */
export const handlers = define.handlers(byMethod({
  GET: (ctx) =>
    forUser(ctx, async (identity) => json(await listSessions(ctx.state.services, identity))),
  DELETE: (ctx) =>
    forUser(ctx, async ({ user, session }) => {
      await ctx.state.services.sessions.endAll(user.id, { except: session.id });
      return done();
    }),
}));
