import { page } from "fresh";
import { Head } from "fresh/runtime";
import { formOf } from "../app/body.ts";
import { define } from "../app/define.ts";
import { listSessions } from "../app/sessions.ts";
import Sessions from "../islands/Sessions.tsx";
import { ONLY_GET_AND_POST } from "./(_pages)/only_get.ts";
import { PRIVATE } from "./(_pages)/private_page.ts";
import { signInFirst } from "./(_pages)/sign_in_first.ts";

export const handlers = define.handlers({
  ...ONLY_GET_AND_POST,
  async GET(ctx) {
    const person = await ctx.state.person();
    if (!person) return signInFirst(ctx);
    const sessions = await listSessions(ctx.state.services, person);
    return page({ sessions, now: Date.now() }, { headers: PRIVATE });
  },
  async POST(ctx) {
    const person = await ctx.state.person();
    if (!person) return signInFirst(ctx);
    const { sessions } = ctx.state.services;
    const { user, session: current } = person;
    const id = (await formOf(ctx)).get("end");
    if (id === "others") await sessions.endAll(user.id, { except: current.id });
    else if (typeof id === "string") await sessions.end(id, "revoked", { userId: user.id });
    return ctx.redirect("/sessions", 303);
  },
});

/** Where one is signed in. */
export default define.page<typeof handlers>(function SessionsPage({ data }) {
  const { sessions, now } = data;
  return (
    <section class="page">
      <Head>
        <title>Sessions · Sluice</title>
      </Head>
      <h1>Where you are signed in</h1>
      <p class="lead">A session that ends takes its open connections with it, at once.</p>
      <Sessions sessions={sessions} now={now} />
    </section>
  );
});
