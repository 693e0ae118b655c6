import { page } from "fresh";
import { define } from "../../app/http/define.ts";
import { listUsers } from "../../app/admin/users.ts";
import { Notice } from "../../components/Notice.tsx";
import { PageTitle } from "../../components/PageTitle.tsx";
import { UserList } from "../../components/users/UserList.tsx";
import { adminOf } from "../../app/pages/admin_of.ts";
import { ONLY_GET } from "../../app/pages/only_get.ts";
import { PRIVATE } from "../../app/pages/private_page.ts";

const USER_ID = /^[\w-]{1,64}$/;

/** Longest part of a username to search for. */
const MAX_LOGIN_LENGTH = 64;

export const handlers = define.handlers({
  ...ONLY_GET,
  async GET(ctx) {
    const { user } = await adminOf(ctx);
    const { searchParams } = ctx.url;
    const login = (searchParams.get("login") ?? "").trim().slice(0, MAX_LOGIN_LENGTH);
    const place = searchParams.get("after") ?? "";
    const after = USER_ID.test(place) ? place : undefined;
    const { users, next } = await listUsers(ctx.state.services, { login, after });
    const hasRemoved = searchParams.get("done") === "removed";
    const data = { users, next, login, after, hasRemoved, yourId: user.id, now: Date.now() };
    return page(data, { headers: PRIVATE });
  },
});

/** The admins' list of all users. */
export default define.page<typeof handlers>(function PeoplePage({ data }) {
  const { users, next, login, after, hasRemoved, yourId, now } = data;
  return (
    <section class="page">
      <PageTitle of={["People"]} />
      <h1>People</h1>
      {hasRemoved && <Notice>The user was removed and signed out.</Notice>}
      <form method="get" action="/people" class="room-form" role="search">
        <label for="login">Search by username</label>
        <div class="field">
          <input
            id="login"
            name="login"
            type="search"
            value={login}
            maxLength={MAX_LOGIN_LENGTH}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
          />
          <button type="submit" class="button">Search</button>
        </div>
      </form>
      {users.length > 0
        ? <UserList users={users} yourId={yourId} now={now} />
        : <p class="notice">{next === undefined ? "No users found." : "No matches here."}</p>}
      <p class="actions">
        {after !== undefined && <a class="button quiet" href={hrefOf(login)}>First page</a>}
        {next !== undefined && <a class="button quiet" href={hrefOf(login, next)}>Next page</a>}
      </p>
    </section>
  );
});

function hrefOf(login: string, after?: string): string {
  const query = new URLSearchParams();
  if (login !== "") query.set("login", login);
  if (after !== undefined) query.set("after", after);
  return query.size === 0 ? "/people" : `/people?${query}`;
}
