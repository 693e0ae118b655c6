import { page } from "fresh";
import { Head } from "fresh/runtime";
import { isId } from "@sluice/sluice/sessions";
import { define } from "../../app/define.ts";
import { listPeople } from "../../app/people.ts";
import { PeopleList } from "../../components/PeopleList.tsx";
import { adminOf } from "../(_pages)/admin_of.ts";
import { ONLY_GET } from "../(_pages)/only_get.ts";
import { PRIVATE } from "../(_pages)/private_page.ts";

/** Longest part of a login that is looked for. */
const MAX_LOGIN_LENGTH = 64;

export const handlers = define.handlers({
  ...ONLY_GET,
  async GET(ctx) {
    const { user } = await adminOf(ctx);
    const { searchParams } = ctx.url;
    const login = (searchParams.get("login") ?? "").trim().slice(0, MAX_LOGIN_LENGTH);
    const place = searchParams.get("after") ?? "";
    const after = isId(place) ? place : undefined;
    const { people, next } = await listPeople(ctx.state.services, { login, after });
    const hasRemoved = searchParams.get("done") === "removed";
    const data = { people, next, login, after, hasRemoved, yourId: user.id, now: Date.now() };
    return page(data, { headers: PRIVATE });
  },
});

/** Everybody who ever signed in, for those who look after them. */
export default define.page<typeof handlers>(function PeoplePage({ data }) {
  const { people, next, login, after, hasRemoved, yourId, now } = data;
  return (
    <section class="page">
      <Head>
        <title>People · Sluice</title>
      </Head>
      <h1>People</h1>
      {hasRemoved && <p class="notice" role="status">They are removed, and signed out.</p>}
      <form method="get" action="/people" class="room-form" role="search">
        <label for="login">Part of a login</label>
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
          <button type="submit" class="button">Find</button>
        </div>
      </form>
      {people.length > 0
        ? <PeopleList people={people} yourId={yourId} now={now} />
        : <p class="notice">{next === undefined ? "Nobody more." : "Nobody in this part."}</p>}
      <p class="actions">
        {after !== undefined && <a class="button quiet" href={hrefOf(login)}>From the beginning</a>}
        {next !== undefined && <a class="button quiet" href={hrefOf(login, next)}>More people</a>}
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
