import { type Context, HttpError, page } from "fresh";
import type { User } from "@sluice/sluice/auth";
import { formOf } from "../../app/http/body.ts";
import { changeUser, type UserChange, type UserProblem } from "../../app/admin/change_user.ts";
import type { Identity } from "../../app/auth/identity.ts";
import { define, type State } from "../../app/http/define.ts";
import { listEvents, listEventsOfRemoved, viewUser } from "../../app/admin/users.ts";
import { rolesProblem } from "../../app/admin/roles.ts";
import { Avatar } from "../../components/Avatar.tsx";
import { EventList } from "../../components/users/EventList.tsx";
import { Notice } from "../../components/Notice.tsx";
import { PageTitle } from "../../components/PageTitle.tsx";
import { UserFacts } from "../../components/users/UserFacts.tsx";
import { UserForms } from "../../components/users/UserForms.tsx";
import { UserTags } from "../../components/users/UserTags.tsx";
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
    const result = await changeUser({ parts: ctx.state.services, admin, user, form });
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

const DONE: Readonly<Record<Exclude<UserChange, "removed">, (name: string) => string>> = {
  banned: (name) => `${name} is banned and signed out everywhere.`,
  unbanned: (name) => `${name} can sign in again.`,
  roles: () => "Roles saved. Open connections get them within a second.",
  ended: () => "The sessions were signed out and disconnected.",
};

const PROBLEMS: Readonly<Record<UserProblem, string>> = {
  "yourself": "You can't do this to yourself.",
  "roles-invalid": "Nothing was saved: the roles are not valid.",
  "not-confirmed": "The username didn't match. Nothing was removed.",
  "unknown": "Nothing was done: this page has no such form.",
};

/** The page of one user, with the actions of an admin. */
export default define.page<typeof handlers>(function UserPage({ data }) {
  if (data.user === undefined) return <RemovedUserPage {...data} />;
  const { user, events, isYou, done, problem, rejectedRoles, now } = data;
  const notice = problem === undefined ? done?.(user.name) : PROBLEMS[problem];
  return (
    <section class="page">
      <PageTitle of={[user.name, "People"]} isError={problem !== undefined} />
      <p>
        <a href="/people" aria-current="false">All people</a>
      </p>
      <div class="user-head">
        <Avatar user={user} />
        <h1>
          <bdi>{user.name}</bdi>
        </h1>
        <UserTags user={user} isYou={isYou} />
      </div>
      {notice && <Notice isWrong={problem !== undefined}>{notice}</Notice>}
      <UserFacts class="lead" user={user} joinedAt={user.createdAt} now={now} />
      <UserForms
        user={user}
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
function RemovedUserPage({ id, events, now }: Awaited<ReturnType<typeof removedOf>>) {
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
  return await state.services.users.get(params.id!);
}

async function removedOf({ state, params }: Context<State>) {
  const id = params.id!;
  const events = await listEventsOfRemoved(state.services, id);
  if (events.length === 0) throw new HttpError(404);
  return { user: undefined, id, events, now: Date.now() };
}

interface Attempt {
  readonly problem: UserProblem;
  readonly typed: string;
}

async function dataOf(
  { state, url }: Context<State>,
  admin: Identity,
  user: User,
  tried?: Attempt,
) {
  const name = url.searchParams.get("done") ?? "";
  const done = Object.hasOwn(DONE, name) ? DONE[name as keyof typeof DONE] : undefined;
  const [view, events] = await Promise.all([
    viewUser(state.services, user),
    listEvents(state.services, user.id),
  ]);
  const { problem, typed = "" } = tried ?? {};
  return {
    user: view,
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
