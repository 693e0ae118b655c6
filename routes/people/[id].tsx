import { type Context, HttpError, page } from "fresh";
import { Head } from "fresh/runtime";
import type { User } from "@sluice/sluice/auth";
import { isId } from "@sluice/sluice/sessions";
import { formOf } from "../../app/body.ts";
import { changePerson, type PersonChange, type PersonProblem } from "../../app/change_person.ts";
import { define, type Person, type State } from "../../app/define.ts";
import { listEvents, listEventsOfRemoved, viewPerson } from "../../app/people.ts";
import { Ago } from "../../components/Ago.tsx";
import { Avatar } from "../../components/Avatar.tsx";
import { counted } from "../../components/counted.ts";
import { EventList } from "../../components/EventList.tsx";
import { PersonForms } from "../../components/PersonForms.tsx";
import { PersonTags } from "../../components/PersonTags.tsx";
import { adminOf } from "../(_pages)/admin_of.ts";
import { ONLY_GET_AND_POST } from "../(_pages)/only_get.ts";
import { PRIVATE } from "../(_pages)/private_page.ts";

export const handlers = define.handlers({
  ...ONLY_GET_AND_POST,
  async GET(ctx) {
    const admin = await adminOf(ctx);
    const user = await findUser(ctx);
    const data = user ? await dataOf(ctx, admin, user) : await removedOf(ctx);
    return page(data, { headers: PRIVATE });
  },
  async POST(ctx) {
    const admin = await adminOf(ctx);
    const user = await findUser(ctx);
    if (user === undefined) throw new HttpError(404);
    const form = await formOf(ctx);
    const result = await changePerson({ parts: ctx.state.services, admin, user, form });
    if ("problem" in result) {
      const typed = String(form.get("roles") ?? "").slice(0, 500);
      const data = await dataOf(ctx, admin, user, { problem: result.problem, typed });
      return page(data, { status: 400, headers: PRIVATE });
    }
    const { done } = result;
    await ctx.state.services.audit.written();
    return ctx.redirect(
      done === "removed" ? "/people?done=removed" : `/people/${user.id}?done=${done}`,
      303,
    );
  },
});

const DONE: Readonly<Record<PersonChange, string>> = {
  banned: "They are banned, and signed out everywhere.",
  unbanned: "They may sign in again.",
  roles: "The roles are saved; open connections have them within a second.",
  ended: "The sessions are over, with every open connection.",
  removed: "They are removed.",
};

const PROBLEMS: Readonly<Record<PersonProblem, string>> = {
  "yourself": "You cannot do this to yourself.",
  "roles-invalid": "Nothing was saved: these are no names of roles.",
  "not-confirmed": "Nobody was removed: that was not the login.",
  "unknown": "Nothing was done: the form is not one of this page.",
};

/** One person, and what can be done to them. */
export default define.page<typeof handlers>(function PersonPage({ data }) {
  if (data.person === undefined) return <RemovedPersonPage {...data} />;
  const { person, events, isYou, done, problem, typed, now } = data;
  const told = problem === undefined ? done && DONE[done] : PROBLEMS[problem];
  return (
    <section class="page">
      <Head>
        <title>{person.name} · People · Sluice</title>
      </Head>
      <p>
        <a href="/people">All people</a>
      </p>
      <div class="person-head">
        <Avatar person={person} />
        <h1>
          <bdi>{person.name}</bdi>
        </h1>
        <PersonTags person={person} isYou={isYou} />
      </div>
      {told && <p class={problem ? "notice wrong" : "notice"} role="status">{told}</p>}
      <p class="lead">
        <bdi>{person.login}</bdi> at {person.provider}, signed in first{" "}
        <Ago at={person.createdAt} now={now} /> and last <Ago at={person.lastSignInAt} now={now} />:
        {" "}
        {counted(person.sessions, "session")}, {counted(person.sockets, "open connection")}.
      </p>
      <PersonForms
        person={person}
        isYou={isYou}
        rejectedRoles={problem === "roles-invalid" ? typed : undefined}
        isUnconfirmed={problem === "not-confirmed"}
      />
      <h2>What happened</h2>
      {events.length > 0
        ? <EventList events={events} now={now} />
        : <p class="help">Nothing that is still remembered.</p>}
    </section>
  );
});

/** What is still stored about a person who was removed. */
function RemovedPersonPage({ id, events, now }: Awaited<ReturnType<typeof removedOf>>) {
  return (
    <section class="page">
      <Head>
        <title>Removed · People · Sluice</title>
      </Head>
      <p>
        <a href="/people">All people</a>
      </p>
      <h1>This person was removed</h1>
      <p class="lead">
        Their id was <code>{id}</code>. If they sign in again, they get a new one.
      </p>
      <h2>What happened</h2>
      <EventList events={events} now={now} />
    </section>
  );
}

async function findUser({ state, params }: Context<State>): Promise<User | undefined> {
  if (!isId(params.id!)) throw new HttpError(404);
  return await state.services.users.get(params.id!);
}

async function removedOf({ state, params }: Context<State>) {
  const id = params.id!;
  const events = await listEventsOfRemoved(state.services, id);
  if (events.length === 0) throw new HttpError(404);
  return { person: undefined, id, events, now: Date.now() };
}

interface Attempt {
  readonly problem: PersonProblem;
  readonly typed: string;
}

async function dataOf({ state, url }: Context<State>, admin: Person, user: User, tried?: Attempt) {
  const name = url.searchParams.get("done") ?? "";
  const done = Object.hasOwn(DONE, name) ? name as PersonChange : undefined;
  const [person, events] = await Promise.all([
    viewPerson(state.services, user),
    listEvents(state.services, user.id),
  ]);
  const { problem, typed } = tried ?? {};
  return {
    person,
    events,
    isYou: user.id === admin.user.id,
    done,
    problem,
    typed,
    now: Date.now(),
  };
}
