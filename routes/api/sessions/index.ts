import { done, forPerson, json } from "../../../app/http/api.ts";
import { define } from "../../../app/http/define.ts";
import { byMethod } from "../../../app/http/methods.ts";
import { listSessions } from "../../../app/auth/sessions.ts";

/** Lists the sessions of the signed-in user; `DELETE` ends all but the current one. */
export const handlers = define.handlers(byMethod({
  GET: (ctx) =>
    forPerson(ctx, async (person) => json(await listSessions(ctx.state.services, person))),
  DELETE: (ctx) =>
    forPerson(ctx, async ({ user, session }) => {
      await ctx.state.services.sessions.endAll(user.id, { except: session.id });
      return done();
    }),
}));
