import { test } from "node:test";
import assert from "node:assert/strict";
import { isAdmin } from "../../app/admin/admins.ts";
import { parseRoles } from "../../app/admin/roles.ts";
import { TestApp } from "../support/app/test_app.ts";
import type { HttpBrowser } from "../support/app/http_browser.ts";

/** An app with the admin ada and the user grace. */
async function setUp() {
  const app = await TestApp.create();
  const [ada, grace] = [app.browser(), app.browser()];
  await ada.signIn("ada");
  await grace.signIn("grace");
  const idOf = async (browser: HttpBrowser) =>
    (await (await browser.request("/api/me")).json()).id as string;
  const [adaId, graceId] = [await idOf(ada), await idOf(grace)];
  /** Sends a form of a user's page. */
  const act = async (
    browser: HttpBrowser,
    id: string,
    fields: Record<string, string>,
    origin = app.origin,
  ) => {
    const response = await browser.request(`/people/${id}`, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { origin },
    });
    const { status, headers } = response;
    return { status, location: headers.get("location"), html: await response.text() };
  };
  const events = async (id: string) =>
    (await app.services.audit.list(id))
      .filter(({ kind }) => kind !== "signed-in")
      .map(({ kind, code, by }) => [kind, code, by]);
  return { app, ada, grace, adaId, graceId, act, events };
}

async function read(browser: HttpBrowser, path: string) {
  const response = await browser.request(path);
  return { status: response.status, headers: response.headers, html: await response.text() };
}

test("the page of people exists for admins only; an anonymous user may sign in first", async () => {
  const { app, ada, grace, graceId, act } = await setUp();
  await using _app = app;
  for (const path of ["/people", `/people/${graceId}`]) {
    assert.equal((await read(ada, path)).status, 200, path);
    const other = await read(grace, path);
    assert.equal(other.status, 404, path);
    assert.match(other.html, /Nothing here/);
    const nobody = await read(app.browser(), path);
    assert.equal(nobody.status, 401, path);
    assert.match(nobody.html, new RegExp(`/signin\\?return_to=${encodeURIComponent(path)}`));
  }
  assert.equal((await act(grace, graceId, { do: "roles", roles: "boss" })).status, 404);
  assert.equal((await act(app.browser(), graceId, { do: "ban" })).status, 401);
  assert.equal((await app.services.users.get(graceId))?.roles, undefined);
  assert.match((await read(ada, "/")).html, /href="\/people"/);
  assert.doesNotMatch((await read(grace, "/")).html, /href="\/people"/);
});

test("the page of people shows the data of each user, and is not cached", async () => {
  const { app, ada, graceId, act } = await setUp();
  await using _app = app;
  await act(ada, graceId, { do: "roles", roles: "moderator" });
  const { html, headers } = await read(ada, "/people");
  const [, row = ""] = new RegExp(`(<a href="/people/${graceId}".*?)</li>`).exec(html) ?? [];
  assert.match(
    row,
    /@<bdi>grace<\/bdi><\/span>\u00a0·<\/span> <span><span>dev<.*>last sign-in <time/,
  );
  assert.match(row, /moderator/);
  assert.match(row, /1 session<.*>0 connections/);
  assert.match(headers.get("cache-control")!, /no-store/);
  assert.doesNotMatch(headers.get("content-security-policy")!, /unsafe-inline/);
});

test("the page of people searches by login, and has further pages", async () => {
  const { app, ada } = await setUp();
  await using _app = app;
  for (let n = 0; n < 30; n++) {
    const login = `visitor-${n}`;
    const profile = { provider: "dev", subject: login, login, name: undefined };
    await app.services.users.save({ ...profile, avatarUrl: undefined });
  }
  const idsOf = (html: string) =>
    [...html.matchAll(/<a href="\/people\/([^"]+)"><bdi>/g)].map(([, id]) => id!);
  const first = await read(ada, "/people?login=VISITOR");
  const [, next = ""] = /href="([^"]+)"[^>]*>Next page/.exec(first.html) ?? [];
  const second = await read(ada, next.replaceAll("&amp;", "&"));
  assert.deepEqual([idsOf(first.html).length, idsOf(second.html).length], [25, 5]);
  assert.equal(new Set([...idsOf(first.html), ...idsOf(second.html)]).size, 30);
  assert.doesNotMatch(second.html, /Next page/);
  const none = await read(ada, '/people?login="><script>alert(1)</script>&after=nonsense');
  assert.equal(none.status, 200);
  assert.match(none.html, /No users found/);
  assert.doesNotMatch(none.html, /<script>alert/);
});

test("an admin bans and unbans a user, and the audit log names the admin", async () => {
  const { app, ada, grace, adaId, graceId, act, events } = await setUp();
  await using _app = app;
  assert.deepEqual(
    (await act(ada, graceId, { do: "ban" })).location,
    `/people/${graceId}?done=banned`,
  );
  assert.equal((await grace.request("/api/me")).status, 401);
  assert.equal((await app.browser().visit("/auth/signin?login_hint=grace")).status, 403);
  assert.match((await read(ada, `/people/${graceId}?done=banned`)).html, />banned</);
  assert.equal((await act(ada, graceId, { do: "unban" })).status, 303);
  await grace.signIn("grace");
  assert.deepEqual(await events(graceId), [
    ["user-unbanned", undefined, adaId],
    ["sign-in-failed", "BANNED", undefined],
    ["session-ended", "user-banned", adaId],
    ["user-banned", undefined, adaId],
  ]);
  const { html } = await read(ada, `/people/${graceId}`);
  assert.match(html, /Banned.*by <bdi>ada<\/bdi>/);
  assert.match(html, /Sign-in failed.*BANNED/);
});

test("an admin sets roles; an invalid role name is refused, and nothing is saved", async () => {
  const { app, ada, adaId, graceId, act, events } = await setUp();
  await using _app = app;
  await act(ada, graceId, { do: "roles", roles: " moderator, room:lobby moderator " });
  const roles = async () => (await app.services.users.get(graceId))?.roles;
  assert.deepEqual(await roles(), ["moderator", "room:lobby"]);
  const bad = await act(ada, graceId, { do: "roles", roles: 'x <b>"y' });
  assert.equal(bad.status, 400);
  assert.match(bad.html, /aria-invalid="true"/);
  assert.match(bad.html, /value="x &lt;b>&quot;y"|value="x &lt;b&gt;&quot;y"/);
  assert.deepEqual(await roles(), ["moderator", "room:lobby"]);
  await act(ada, graceId, { do: "roles", roles: "" });
  assert.deepEqual(await roles(), []);
  assert.deepEqual(await events(graceId), [
    ["roles-changed", "none", adaId],
    ["roles-changed", "moderator room:lobby", adaId],
  ]);
});

test("an admin ends all sessions of a user, and all but the current one of their own", async () => {
  const { app, ada, grace, adaId, graceId, act, events } = await setUp();
  await using _app = app;
  await act(ada, graceId, { do: "end" });
  assert.equal((await grace.request("/api/me")).status, 401);
  assert.deepEqual(await events(graceId), [["session-ended", "revoked", adaId]]);
  const elsewhere = app.browser();
  await elsewhere.signIn("ada");
  await act(ada, adaId, { do: "end" });
  assert.equal((await elsewhere.request("/api/me")).status, 401);
  assert.equal((await ada.request("/api/me")).status, 200);
});

test("an admin removes exactly the user whose login they typed", async () => {
  const { app, ada, grace, adaId, graceId, act, events } = await setUp();
  await using _app = app;
  for (const confirm of ["", "Grace", "ada"]) {
    const refused = await act(ada, graceId, { do: "remove", confirm });
    assert.equal(refused.status, 400);
    assert.match(refused.html, /<details open/);
  }
  assert.equal((await grace.request("/api/me")).status, 200);
  const removed = await act(ada, graceId, { do: "remove", confirm: "grace" });
  assert.equal(removed.location, "/people?done=removed");
  assert.equal((await grace.request("/api/me")).status, 401);
  assert.deepEqual((await events(graceId))[1], ["user-removed", undefined, adaId]);
});

test("an admin sees who removed a user, without further actions", async () => {
  const { app, ada, grace, graceId, act } = await setUp();
  await using _app = app;
  for (let n = 0; n < 30; n++) await app.browser().signIn("grace");
  await act(ada, graceId, { do: "remove", confirm: "grace" });
  const { status, html, headers } = await read(ada, `/people/${graceId}`);
  assert.equal(status, 200);
  assert.match(html, /This user was removed/);
  assert.match(html, /Removed.*by <bdi>ada<\/bdi>/);
  assert.match(headers.get("cache-control")!, /no-store/);
  assert.doesNotMatch(html, /<form[^>]*action="\/people/);
  for (const action of ["ban", "unban", "roles", "end", "remove"]) {
    assert.equal((await act(ada, graceId, { do: action })).status, 404, action);
  }
  await grace.signIn("grace");
  assert.equal((await read(grace, `/people/${graceId}`)).status, 404);
  assert.equal((await read(app.browser(), `/people/${graceId}`)).status, 401);
});

test("the page of a user does not exist for an unknown id", async () => {
  const { app, ada } = await setUp();
  await using _app = app;
  for (const id of ["nobody", "A".repeat(16), "a".repeat(3_000), "%00", "..%2f", "%f0"]) {
    assert.equal((await read(ada, `/people/${id}`)).status, 404, id);
  }
});

test("an admin cannot ban or remove themself with any form", async () => {
  const { app, ada, adaId, act } = await setUp();
  await using _app = app;
  const { html } = await read(ada, `/people/${adaId}`);
  assert.doesNotMatch(html, /value="(ban|remove)"/);
  for (const fields of [{ do: "ban", confirm: "" }, { do: "remove", confirm: "ada" }]) {
    assert.equal((await act(ada, adaId, fields)).status, 400);
  }
  assert.equal((await ada.request("/api/me")).status, 200);
});

test("another site's page, or an anonymous form, changes no user", async () => {
  const { app, ada, grace, graceId, act } = await setUp();
  await using _app = app;
  const foreign = await act(ada, graceId, { do: "ban" }, "https://evil.example");
  assert.equal(foreign.status, 403);
  for (const action of ["", "toString", "__proto__", "promote"]) {
    assert.equal((await act(ada, graceId, { do: action })).status, 400, action);
  }
  assert.equal((await act(ada, "nobody", { do: "ban" })).status, 404);
  assert.equal((await grace.request("/api/me")).status, 200);
});

test("a provider's display name is escaped on the pages of people", async () => {
  const { app, ada } = await setUp();
  await using _app = app;
  const name = '<img src=x onerror="alert(1)">';
  const profile = { provider: "dev", subject: "eve", login: name, name, avatarUrl: undefined };
  const { id } = await app.services.users.save(profile);
  for (const path of ["/people", `/people/${id}`]) {
    const { html } = await read(ada, path);
    assert.match(html, /&lt;img src=x/, path);
    assert.doesNotMatch(html, /<img src=x/, path);
  }
});

const GITHUB = { clientId: "a", clientSecret: "b", url: "https://github.com" };
const SETTINGS = {
  github: { ...GITHUB, apiUrl: "https://api.github.com" },
  oidc: { issuer: "https://id.example/", clientId: "a", clientSecret: undefined, name: "id" },
};
const ENTERPRISE = { ...GITHUB, url: "https://ghe.example", apiUrl: "https://ghe.example/api/v3" };
const AT_ENTERPRISE = "https://ghe.example/|https://ghe.example/api/v3/ 1";

const ADMINS: [admin: string, provider: string, subject: string, login: string, is: boolean][] = [
  ["github:octocat", "github", "1", "octocat", true],
  ["github:Octocat", "github", "1", "octoCat", true],
  ["github:1", "github", "1", "octocat", true],
  ["github:octocat", "github", "1", "octocat2", false],
  // A login never matches an id.
  ["github:1", "github", "2", "1", false],
  ["github:octocat", "github", "1", "octocat (1)", false],
  ["github:octocat", "github", AT_ENTERPRISE, "octocat", false],
  ["github:1", "github", AT_ENTERPRISE, "octocat", false],
  ["github:octocat", "oidc", "https://id.example/ 1", "octocat", false],
  ["oidc:ada", "oidc", "https://id.example/ 1", "ada", false],
  ["oidc:ada", "oidc", "https://id.example/ ada", "x", true],
  ["oidc:ada", "oidc", "https://id.example/ Ada", "ada", false],
  ["oidc:ada", "oidc", "https://id.example ada", "ada", false],
  ["oidc:ada", "oidc", "https://other.example/ ada", "ada", false],
  ["oidc:ada", "oidc", "ada", "ada", false],
  ["oidc:auth0|1", "oidc", "https://id.example/ auth0|1", "ada", true],
  ["dev:ada", "dev", "ada", "ada", true],
  ["dev:ada", "dev", "grace", "grace", false],
  ["dev:ada", "oidc", "https://id.example/ ada", "ada", false],
  ["dev:ada", "other", "ada", "ada", false],
];
for (const [admin, provider, subject, login, is] of ADMINS) {
  const who = `${login}, ${provider}'s ${JSON.stringify(subject)},`;
  test(`${who} ${is ? "is" : "is not"} an admin if ADMINS is ${admin}`, () => {
    assert.equal(isAdmin({ ...SETTINGS, admins: [admin] }, { provider, subject, login }), is);
  });
}

test("isAdmin() matches users of the configured GitHub server only", () => {
  const settings = { admins: ["github:octocat", "github:1"], github: ENTERPRISE, oidc: undefined };
  const user = (subject: string) => ({ provider: "github", subject, login: "octocat" });
  assert.equal(isAdmin(settings, user(AT_ENTERPRISE)), true);
  assert.equal(isAdmin(settings, user("1")), false);
});

test("parseRoles() accepts up to twenty names, each once", () => {
  assert.deepEqual(parseRoles("a b,a\n c"), ["a", "b", "c"]);
  assert.deepEqual(parseRoles(""), []);
  const many = Array.from({ length: 21 }, (_, n) => `r${n}`);
  assert.equal(parseRoles(many.join(" ")), undefined);
  for (const bad of ["-x", "a/b", "é", "x".repeat(33)]) assert.equal(parseRoles(bad), undefined);
});
