import { type Context, HttpError, page } from "fresh";
import type { User } from "@sluice/sluice/auth";
import { isId } from "@sluice/sluice/sessions";
import { formOf } from "../../app/http/body.ts";
import {
  changePerson,
  type PersonChange,
  type PersonProblem,
} from "../../app/admin/change_person.ts";
import { define, type Person, type State } from "../../app/http/define.ts";
import { listEvents, listEventsOfRemoved, viewPerson } from "../../app/admin/people.ts";
import { rolesProblem } from "../../app/admin/roles.ts";
import { Avatar } from "../../components/Avatar.tsx";
import { EventList } from "../../components/people/EventList.tsx";
import { Notice } from "../../components/Notice.tsx";
import { PageTitle } from "../../components/PageTitle.tsx";
import { PersonFacts } from "../../components/people/PersonFacts.tsx";
import { PersonForms } from "../../components/people/PersonForms.tsx";
import { PersonTags } from "../../components/people/PersonTags.tsx";
import { adminOf } from "../../app/pages/admin_of.ts";
import { ONLY_GET_AND_POST } from "../../app/pages/only_get.ts";
import { PRIVATE } from "../../app/pages/private_page.ts";

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

const DONE: Readonly<Record<Exclude<PersonChange, "removed">, (name: string) => string>> = {
  banned: (name) => `${name} is banned and signed out everywhere.`,
  unbanned: (name) => `${name} can sign in again.`,
  roles: () => "Roles saved. Open connections get them within a second.",
  ended: () => "The sessions were signed out and disconnected.",
};

const PROBLEMS: Readonly<Record<PersonProblem, string>> = {
  "yourself": "You can't do this to yourself.",
  "roles-invalid": "Nothing was saved: the roles are not valid.",
  "not-confirmed": "The username didn't match. Nothing was removed.",
  "unknown": "Nothing was done: this page has no such form.",
};

/** The page of one user, with the actions of an admin. */
export default define.page<typeof handlers>(function PersonPage({ data }) {
  if (data.person === undefined) return <RemovedPersonPage {...data} />;
  const { person, events, isYou, done, problem, rejectedRoles, now } = data;
  const told = problem === undefined ? done?.(person.name) : PROBLEMS[problem];
  return (
    <section class="page">
      <PageTitle of={[person.name, "People"]} isError={problem !== undefined} />
      <p>
        <a href="/people" aria-current="false">All people</a>
      </p>
      <div class="person-head">
        <Avatar person={person} />
        <h1>
          <bdi>{person.name}</bdi>
        </h1>
        <PersonTags person={person} isYou={isYou} />
      </div>
      {told && <Notice isWrong={problem !== undefined}>{told}</Notice>}
      <PersonFacts class="lead" person={person} joinedAt={person.createdAt} now={now} />
      <PersonForms
        person={person}
        isYou={isYou}
        rejectedRoles={rejectedRoles}
        isUnconfirmed={problem === "not-confirmed"}
      />
      <h2>Activity</h2>
      {events.length > 0
        ? <EventList events={events} now={now} />
        : <p class="help">No recent activity.</p>}
    </section>
  );
});

/** The page of a removed user: the stored events. */
function RemovedPersonPage({ id, events, now }: Awaited<ReturnType<typeof removedOf>>) {
  return (
    <section class="page">
      <PageTitle of={["Removed user", "People"]} />
      <p>
        <a href="/people" aria-current="false">All people</a>
      </p>
      <h1>This user was removed</h1>
      <p class="lead">
        The id was <code>{id}</code>. If the user signs in again, the account is new.
      </p>
      <h2>Activity</h2>
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
  const done = Object.hasOwn(DONE, name) ? DONE[name as keyof typeof DONE] : undefined;
  const [person, events] = await Promise.all([
    viewPerson(state.services, user),
    listEvents(state.services, user.id),
  ]);
  const { problem, typed = "" } = tried ?? {};
  return {
    person,
    events,
    isYou: user.id === admin.user.id,
    done,
    problem,
    rejectedRoles: problem === "roles-invalid"
      ? { typed, problem: rolesProblem(typed) ?? PROBLEMS[problem] }
      : undefined,
    now: Date.now(),
  };
}
