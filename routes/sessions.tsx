import { page } from "fresh";
import { formOf } from "../app/http/body.ts";
import { define } from "../app/http/define.ts";
import { listSessions } from "../app/auth/sessions.ts";
import { Notice } from "../components/Notice.tsx";
import { PageTitle } from "../components/PageTitle.tsx";
import Sessions from "../islands/Sessions.tsx";
import { ONLY_GET_AND_POST } from "../app/pages/only_get.ts";
import { PRIVATE } from "../app/pages/private_page.ts";
import { signInFirst } from "../app/pages/sign_in_first.ts";

export const handlers = define.handlers({
  ...ONLY_GET_AND_POST,
  async GET(ctx) {
    const identity = await ctx.state.identity();
    if (!identity) return signInFirst(ctx);
    const sessions = await listSessions(ctx.state.services, identity);
    const outcome = ctx.url.searchParams.get("done") ?? "";
    const done = Object.hasOwn(DONE, outcome) ? DONE[outcome as Outcome] : undefined;
    return page({ sessions, done, now: Date.now() }, { headers: PRIVATE });
  },
  async POST(ctx) {
    const identity = await ctx.state.identity();
    if (!identity) return signInFirst(ctx);
    const { sessions } = ctx.state.services;
    const { user, session: current } = identity;
    const id = (await formOf(ctx)).get("end");
    const to = (outcome: Outcome) => ctx.redirect(`/sessions?done=${outcome}`, 303);
    if (id === "others") {
      await sessions.endAll(user.id, { except: current.id });
      return to("others");
    }
    const isEnded = await sessions.end(String(id), "revoked", { userId: user.id });
    return to(isEnded ? "ended" : "none");
  },
});

type Outcome = "ended" | "others" | "none";

const DONE: Readonly<Record<Outcome, string>> = {
  ended: "The session was signed out and disconnected.",
  others: "You are signed out everywhere else.",
  none: "That session had ended already.",
};

/** The sessions of the signed-in user. */
export default define.page<typeof handlers>(function SessionsPage({ data }) {
  const { sessions, done, now } = data;
  return (
    <section class="page">
      <PageTitle of={["Sessions"]} />
      <h1>Where you are signed in</h1>
      {done && <Notice>{done}</Notice>}
      <p class="lead">Ending a session disconnects it immediately.</p>
      <Sessions sessions={sessions} now={now} />
    </section>
  );
});
