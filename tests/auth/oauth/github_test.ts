import assert from "node:assert/strict";
import { test } from "node:test";
import { GitHubProvider, type User } from "../../../lib/auth/mod.ts";
import { FakeClock } from "../../../lib/testing/fake_clock.ts";
import { testApp } from "../../support/auth/app.ts";
import { Browser, type Handler } from "../../support/auth/browser.ts";
import { GitHubDouble, octocat, type Trouble } from "../../support/auth/github_double.ts";

const ORIGIN = "http://127.0.0.1:8000";
const SIGN_IN = `${ORIGIN}/auth/signin?provider=github&return_to=/rooms/lobby`;

async function setUp() {
  const double = await GitHubDouble.start();
  const clock = new FakeClock();
  double.now = () => clock.now();
  const provider = new GitHubProvider({
    ...double.app,
    url: double.url,
    apiUrl: double.url,
    clock,
  });
  const app = testApp([provider], { clock });
  const handler: Handler = (request) =>
    new URL(request.url).origin === double.url
      ? fetch(request, { redirect: "manual" })
      : app.handle(request);
  return {
    ...app,
    double,
    handler,
    browser: new Browser(handler),
    [Symbol.asyncDispose]: () => double[Symbol.asyncDispose](),
  };
}

async function whoIs(browser: Browser): Promise<User> {
  const response = await browser.request(`${ORIGIN}/api/me`);
  assert.equal(response.status, 200);
  return await response.json();
}

test("GitHubProvider signs in with code, PKCE and state, and requests minimal scope", async () => {
  await using app = await setUp();
  const { url } = await app.browser.visit(SIGN_IN);
  assert.equal(url, `${ORIGIN}/rooms/lobby`);
  const user = await whoIs(app.browser);
  assert.deepEqual(
    [user.provider, user.subject, user.login, user.name, user.avatarUrl],
    ["github", `${app.double.url}/ 583231`, "octocat", "The Octocat", octocat().avatar_url],
  );
  const query = app.double.authorization;
  assert.equal(query.get("response_type"), "code");
  assert.equal(query.get("code_challenge_method"), "S256");
  assert.equal(query.get("scope"), "read:user");
  assert.equal(query.get("redirect_uri"), `${ORIGIN}/auth/callback/github`);
  assert.match(query.get("state")!, /^[\w-]{43}$/);
  assert.match(app.double.userHeaders["user-agent"]!, /sluice/);
  assert.equal(app.double.userHeaders.accept, "application/vnd.github+json");
});

test("GitHubProvider identifies a user by GitHub's permanent id", async () => {
  await using app = await setUp();
  await app.browser.visit(SIGN_IN);
  const before = await whoIs(app.browser);
  app.double.user = octocat({ login: "monalisa", name: "Mona Lisa" });
  await app.browser.visit(SIGN_IN);
  const after = await whoIs(app.browser);
  assert.equal(after.id, before.id);
  assert.deepEqual([after.login, after.name], ["monalisa", "Mona Lisa"]);

  app.double.user = octocat({ id: 1 });
  await app.browser.visit(SIGN_IN);
  assert.notEqual((await whoIs(app.browser)).id, before.id);
});

/** Signs in the mascot at a server with the URLs `url` and `apiUrl`; the double answers. */
async function subjectAtServer(url?: string, apiUrl?: string): Promise<string> {
  await using double = await GitHubDouble.start();
  const provider = new GitHubProvider({
    ...double.app,
    url,
    apiUrl,
    fetch: (address, init) => fetch(double.url + new URL(address).pathname.slice(-25), init),
  });
  const app = testApp([provider]);
  const browser = new Browser(app.handle);
  const begun = await browser.request(SIGN_IN);
  const { search } = new URL(begun.headers.get("location")!);
  const authorized = await fetch(`${double.url}/login/oauth/authorize${search}`, {
    redirect: "manual",
  });
  await authorized.body?.cancel();
  await browser.request(authorized.headers.get("location")!);
  return (await whoIs(browser)).subject;
}

test("GitHubProvider separates the users of two servers; those of github.com have only the id", async () => {
  assert.equal(await subjectAtServer(), "583231");
  assert.equal(await subjectAtServer("https://github.com/", "https://api.github.com/"), "583231");
  const subjects = [
    await subjectAtServer("https://a.example", "https://a.example"),
    await subjectAtServer("https://b.example", "https://b.example"),
    await subjectAtServer("https://a.example", "https://b.example"),
    await subjectAtServer("https://a.example"),
    await subjectAtServer(undefined, "https://a.example"),
  ];
  assert.equal(new Set(["583231", ...subjects]).size, 6, subjects.join());
  assert.equal(await subjectAtServer("https://a.example/", "https://a.example"), subjects[0]);
});

test("GitHubProvider keeps an invalid login distinct from another user's", async () => {
  const many = "\u200b".repeat(5_000);
  for (
    const login of ["octo\u00adcat", "octocat\u200b", `octocat${many}`, "o\u212Atocat", "\u3164"]
  ) {
    await using app = await setUp();
    app.double.user = octocat({ login });
    await app.browser.visit(SIGN_IN);
    const shown = (await whoIs(app.browser)).login;
    assert.match(shown, /^[\x20-\x7e]*\(583231\)$/, JSON.stringify(login));
  }
});

test("GitHubProvider accepts a profile without name and e-mail", async () => {
  await using app = await setUp();
  app.double.user = octocat({ name: null, email: null });
  await app.browser.visit(SIGN_IN);
  assert.equal((await whoIs(app.browser)).name, "octocat");
});

test("GitHubProvider passes a login hint on", async () => {
  await using app = await setUp();
  await app.browser.visit(`${SIGN_IN}&login_hint=octocat`);
  assert.equal(app.double.authorization.get("login_hint"), "octocat");
  assert.equal(app.double.authorization.get("login"), "octocat");
});

test("GitHubProvider refuses a profile without id or login", async () => {
  const profiles = [{ id: "583231" }, { id: 1.5 }, { login: "" }, { login: undefined }];
  for (const broken of profiles) {
    await using app = await setUp();
    app.double.user = { ...octocat(), ...broken } as never;
    const { response } = await app.browser.visit(SIGN_IN);
    assert.equal(response.status, 502);
    assert.equal((await response.json()).code, "PROFILE_INCOMPLETE");
  }
});

test("GitHubProvider reports GitHub's reason when the user refuses", async () => {
  await using app = await setUp();
  app.double.trouble = "denied";
  const { response } = await app.browser.visit(SIGN_IN);
  assert.equal(response.status, 400);
  const { code, reason, provider, returnTo } = await response.json();
  assert.equal(code, "PROVIDER_DENIED");
  assert.equal(reason, "The user has denied your application access.");
  assert.deepEqual([provider, returnTo], ["github", "/rooms/lobby"]);
  assert.equal((await app.browser.request(`${ORIGIN}/api/me`)).status, 401);
});

const TROUBLES: [trouble: Trouble, at: string, status: number][] = [
  ["down", "/login/oauth/access_token", 503],
  ["down", "/user", 503],
  ["unavailable", "/login/oauth/access_token", 502],
  ["unavailable", "/user", 502],
  ["error in 200", "/login/oauth/access_token", 502],
  ["error in 200", "/user", 502],
  ["not json", "/login/oauth/access_token", 502],
  ["not json", "/user", 502],
];

for (const [trouble, at, expected] of TROUBLES) {
  test(`GitHubProvider throws PROVIDER_UNAVAILABLE if ${at} fails: ${trouble}`, async () => {
    await using app = await setUp();
    Object.assign(app.double, { trouble, troubleAt: at });
    const { response } = await app.browser.visit(SIGN_IN);
    const { code, returnTo } = await response.json();
    assert.equal(code, "PROVIDER_UNAVAILABLE");
    assert.equal(response.status, expected);
    assert.equal(returnTo, "/rooms/lobby");

    app.double.trouble = "none";
    await app.browser.visit(SIGN_IN);
    assert.equal((await whoIs(app.browser)).login, "octocat");
  });
}

for (const at of ["/login/oauth/access_token", "/user"]) {
  test(`GitHubProvider waits at most five seconds for ${at}`, async () => {
    await using app = await setUp();
    const { url: callback } = await app.browser.visit(
      SIGN_IN,
      {},
      (next) => next.pathname.startsWith("/auth/callback/"),
    );
    Object.assign(app.double, { trouble: "slow", troubleAt: at });
    const answer = app.browser.request(callback);
    while (app.double.requests.at(-1)?.split(" ")[1] !== at) await app.double.heard();
    await app.clock.advance(5000);
    const response = await answer;
    assert.equal(response.status, 503);
    assert.equal((await response.json()).code, "PROVIDER_UNAVAILABLE");
  });
}

test("GitHubProvider refuses a code that GitHub refuses", async () => {
  await using app = await setUp();
  const { url } = await app.browser.visit(SIGN_IN, {}, isCallback);
  const forged = new URL(url);
  forged.searchParams.set("code", "0123456789abcdef");
  const response = await app.browser.request(forged.href);
  assert.equal(response.status, 400);
  assert.equal((await response.json()).code, "PROVIDER_DENIED");
});

test("GitHubProvider reports GitHub's reason when the app is misconfigured", async () => {
  await using app = await setUp();
  app.double.trouble = "error in 200";
  app.double.troubleAt = "/login/oauth/access_token";
  const { response } = await app.browser.visit(SIGN_IN);
  const { code, reason } = await response.json();
  assert.deepEqual([response.status, code, reason], [
    502,
    "PROVIDER_UNAVAILABLE",
    "Something broke",
  ]);
});

test("GitHubProvider refuses the injected code of another sign-in", async () => {
  await using app = await setUp();
  const victim = new Browser(app.handler);
  const stolen = await victim.visit(SIGN_IN, {}, isCallback);
  const own = await app.browser.visit(SIGN_IN, {}, isCallback);
  const injected = new URL(own.url);
  injected.searchParams.set("code", new URL(stolen.url).searchParams.get("code")!);
  const response = await app.browser.request(injected.href);
  assert.equal(response.status, 400);
  assert.equal((await app.browser.request(`${ORIGIN}/api/me`)).status, 401);
});

test("GitHubProvider writes no code, state, secret or token to the log or the errors", async () => {
  await using app = await setUp();
  const secrets = new Set<string>([app.double.app.clientSecret]);
  for (const trouble of ["none", "denied", "error in 200", "not json", "down"] as const) {
    Object.assign(app.double, { trouble, troubleAt: "/login/oauth/access_token" });
    const { url } = await app.browser.visit(SIGN_IN, {}, isCallback);
    const { searchParams } = new URL(url);
    for (const name of ["code", "state"]) secrets.add(searchParams.get(name) ?? "-none-");
    const response = await app.browser.request(url);
    const body = await response.text();
    for (const secret of secrets) assert.ok(!body.includes(secret));
  }
  secrets.add(app.browser.cookie(ORIGIN, "session")!.split(".")[1]!);
  const begun = app.browser.cookies(ORIGIN).match(/(?<=\bsignin-\S+\.)[\w-]+/g) ?? [];
  assert.equal(begun.length, 4);
  for (const secret of begun) secrets.add(secret);
  for (const secret of secrets) assert.ok(!app.log.text.includes(secret));
  assert.ok(!app.log.text.includes("gho_"));
  assert.equal(app.log.lines.filter((line) => line.message === "sign-in failed").length, 4);
});

test("new GitHubProvider() accepts http on this machine only", () => {
  const app = { clientId: "id", clientSecret: "secret" };
  assert.throws(() => new GitHubProvider({ ...app, url: "http://github.example" }), RangeError);
  assert.throws(() => new GitHubProvider({ ...app, apiUrl: "ftp://localhost" }), RangeError);
  new GitHubProvider({ ...app, url: "https://ghe.example", apiUrl: "https://ghe.example/api/v3" });
});

function isCallback(next: URL): boolean {
  return next.pathname.startsWith("/auth/callback/");
}
