import { done, forPerson, json } from "../../../app/api.ts";
import { define } from "../../../app/define.ts";
import { byMethod } from "../../../app/methods.ts";
import { listSessions } from "../../../app/sessions.ts";

/** Where somebody is signed in; `DELETE` signs out everywhere but here. */
export const handlers = define.handlers(byMethod({
  GET: (ctx) =>
    forPerson(ctx, async (person) => json(await listSessions(ctx.state.services, person))),
  DELETE: (ctx) =>
    forPerson(ctx, async ({ user, session }) => {
      await ctx.state.services.sessions.endAll(user.id, { except: session.id });
      return done();
    }),
}));
