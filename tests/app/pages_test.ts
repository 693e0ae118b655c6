import { test } from "node:test";
import assert from "node:assert/strict";
import { FakeClock } from "@sluice/sluice/testing";
import { MAX_TEXT_LENGTH as pageLimit } from "../../components/room/words/text_length.ts";
import { MAX_TEXT_LENGTH as serverLimit } from "../../consumers/chat_messages.ts";
import { TestApp } from "../support/app/test_app.ts";
import type { HttpBrowser } from "../support/app/http_browser.ts";

/** Requests a page and checks what must hold for every page. */
async function pageOf(browser: HttpBrowser, path: string, init?: RequestInit) {
  const response = await browser.request(path, init);
  const html = await response.text();
  assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
  assert.equal(html.match(/<h1[ >]/g)?.length, 1, `${path} has one heading`);
  assert.equal(html.match(/<main[ >]/g)?.length, 1, `${path} has one main landmark`);
  assert.match(html, /<html lang="en">/);
  return {
    response,
    html,
    status: response.status,
    title: /<title>(.*?)<\/title>/.exec(html)?.[1],
  };
}

/** Signs in a user with any name, as if a provider had sent it. */
async function signInAs(app: TestApp, name: string, avatarUrl?: string): Promise<HttpBrowser> {
  const profile = { provider: "test", subject: name, login: "someone", name, avatarUrl };
  const user = await app.services.users.save(profile);
  const { token } = await app.services.sessions.create({
    userId: user.id,
    provider: "test",
    userAgent: "<b>agent</b>",
  });
  const browser = app.browser();
  browser.cookies.set("session", token);
  return browser;
}

test("the home page describes the app, and offers each provider", async () => {
  const env = { GITHUB_CLIENT_ID: "id", GITHUB_CLIENT_SECRET: "secret", DEV_SIGN_IN: "on" };
  await using app = await TestApp.create(env);
  const { status, title, html } = await pageOf(app.browser(), "/");
  assert.equal(status, 200);
  assert.match(title!, /Sluice/);
  assert.match(html, /href="\/auth\/signin\?provider=github"[^>]*>Sign in with GitHub</);
  assert.match(html, /href="\/auth\/signin\?provider=dev"/);
  assert.doesNotMatch(html, /auth.signout/);
});

test("the home page of a signed-in user has their name, the rooms and a sign-out button", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  await browser.signIn("ada");
  const { html } = await pageOf(browser, "/");
  assert.match(html, /Ada/);
  assert.match(html, /href="\/rooms\/lobby"/);
  assert.match(html, /<form method="post" action="\/auth\/signout">/);
  assert.doesNotMatch(html, /\/auth\/signin/);
});

test("a page that depends on the user is not cached", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  await browser.signIn("ada");
  for (const path of ["/", "/rooms", "/rooms/lobby", "/sessions"]) {
    const { response } = await pageOf(browser, path);
    assert.match(response.headers.get("cache-control") ?? "", /no-store/, path);
  }
});

test("every page forbids inline scripts and styles other than its own", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  const check = async (path: string) => {
    const { response, html } = await pageOf(browser, path);
    const policy = response.headers.get("content-security-policy") ?? "";
    assert.match(policy, /script-src/, path);
    assert.doesNotMatch(policy, /unsafe-inline/, path);
    assert.doesNotMatch(html, /\sstyle=|\son\w+=/, path);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff", path);
  };
  for (const path of ["/", "/signin", "/nothing", "/rooms/a.b"]) await check(path);
  await browser.signIn("ada");
  for (const path of ["/", "/rooms", "/rooms/lobby", "/sessions"]) await check(path);
});

test("a page that needs a user redirects to the sign-in page, and back", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  for (const path of ["/rooms", "/rooms?room=x", "/rooms/lobby", "/sessions"]) {
    const response = await browser.request(path);
    assert.equal(response.status, 303);
    assert.equal(
      response.headers.get("location"),
      `/signin?return_to=${encodeURIComponent(path)}`,
    );
  }
});

test("the sign-in page leads on to the requesting page", async () => {
  await using app = await TestApp.create();
  const { status, title, html } = await pageOf(app.browser(), "/signin?return_to=/rooms/lobby");
  assert.equal(status, 200);
  assert.match(title!, /^Sign in/);
  assert.match(html, /href="\/auth\/signin\?provider=dev&(amp;)?return_to=%2Frooms%2Flobby"/);
});

test("the sign-in page never redirects to another site", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  const elsewhere = ["https://evil.example/", "//evil.example", "/\\evil.example"];
  for (const target of elsewhere) {
    const { html } = await pageOf(browser, `/signin?return_to=${encodeURIComponent(target)}`);
    assert.doesNotMatch(html, /evil/);
  }
  await browser.signIn("ada");
  for (const target of elsewhere) {
    const response = await browser.request(`/signin?return_to=${encodeURIComponent(target)}`);
    assert.equal(response.headers.get("location"), "/");
  }
});

test("the sign-in page redirects an already signed-in user", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  await browser.signIn("ada");
  const response = await browser.request("/signin?return_to=/rooms/lobby");
  assert.equal(response.status, 303);
  assert.equal(response.headers.get("location"), "/rooms/lobby");
});

test("the sign-in page says that the session has expired", async () => {
  const clock = new FakeClock();
  await using app = await TestApp.create({ SESSION_IDLE_TTL: "10m" }, { clock });
  const browser = app.browser();
  await browser.signIn("ada");
  await clock.advance(600_000);
  assert.match((await pageOf(browser, "/signin")).html, /Your session has expired/);
});

test("the form for rooms leads to a room, and rejects an invalid name", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  await browser.signIn("ada");
  const good = await browser.request("/rooms?room=Team_7-b");
  assert.equal(good.status, 303);
  assert.equal(good.headers.get("location"), "/rooms/Team_7-b");
  const { status, html } = await pageOf(browser, '/rooms?room="><script>alert(1)</script>');
  assert.equal(status, 400);
  assert.match(html, /aria-invalid="true"/);
  assert.doesNotMatch(html, /<script>alert/);
});

test("a room's page contains the room before any script runs", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  await browser.signIn("ada");
  const { status, title, html } = await pageOf(browser, "/rooms/lobby");
  assert.equal(status, 200);
  assert.equal(title, "lobby · Sluice");
  assert.match(html, /role="log"/);
  assert.match(html, /role="status"[^>]*>.*Connecting/);
  assert.match(html, /<label[^>]*for="message"/);
  assert.match(html, /<noscript>.*needs JavaScript/s);
});

test("an invalid room name gets an error page, 404", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  await browser.signIn("ada");
  for (const name of ["a.b", "a%20b", "x".repeat(65), "%C3%A9"]) {
    assert.equal((await pageOf(browser, `/rooms/${name}`)).status, 404, name);
  }
  assert.equal((await pageOf(browser, `/rooms/${"x".repeat(64)}`)).status, 200);
});

test("a provider's display name is escaped on every page", async () => {
  await using app = await TestApp.create();
  const name = '</script><img src=x onerror="alert(1)">';
  const browser = await signInAs(app, name);
  for (const path of ["/", "/rooms", "/rooms/lobby", "/sessions"]) {
    const { html } = await pageOf(browser, path);
    assert.match(html, /&lt;img src=x/, path);
    // Inside a script, the name is text too, as long as it cannot end the script.
    const markup = html.replace(/<script\b[^>]*>[^]*?<\/script>/g, "");
    assert.doesNotMatch(markup, /<img src=x|<b>agent/, path);
  }
});

test("a picture is shown if its URL is https", async () => {
  await using app = await TestApp.create();
  const safe = await signInAs(app, "Ada", "https://pictures.example/ada.png");
  assert.match((await pageOf(safe, "/")).html, /<img src="https:\/\/pictures.example\/ada.png"/);
  const plain = await signInAs(app, "Eve", "http://pictures.example/eve.png");
  assert.doesNotMatch((await pageOf(plain, "/")).html, /<img/);
});

test("the sessions page lists sessions, and ends one or all others", async () => {
  await using app = await TestApp.create();
  const [here, there, third] = [app.browser(), app.browser(), app.browser()];
  for (const browser of [here, there, third]) await browser.signIn("ada");
  const end = async (id: string) => {
    const response = await here.request("/sessions", {
      method: "POST",
      body: new URLSearchParams({ end: id }),
      headers: { origin: app.origin },
    });
    assert.equal(response.status, 303);
  };
  const idsOf = (html: string) =>
    [...html.matchAll(/name="end" value="([^"]+)"/g)].map((m) => m[1]!);
  const before = idsOf((await pageOf(here, "/sessions")).html);
  assert.equal(before.length, 3, "two other sessions, and all of them");
  await end(before[0]!);
  assert.equal(idsOf((await pageOf(here, "/sessions")).html).length, 2);
  await end("others");
  assert.equal(idsOf((await pageOf(here, "/sessions")).html).length, 0);
  const states = await Promise.all([there, third].map((each) => each.request("/api/me")));
  assert.deepEqual(states.map(({ status }) => status), [401, 401]);
});

test("the sessions page ends no session of another user", async () => {
  await using app = await TestApp.create();
  const [ada, grace] = [app.browser(), app.browser()];
  await ada.signIn("ada");
  await grace.signIn("grace");
  const [{ id }] = await (await ada.request("/api/sessions")).json();
  const body = new URLSearchParams({ end: id });
  await grace.request("/sessions", { method: "POST", body, headers: { origin: app.origin } });
  assert.equal((await ada.request("/api/me")).status, 200);
});

test("another site's page cannot end a session through the form", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  await browser.signIn("ada");
  const body = new URLSearchParams({ end: "others" });
  const headers = { origin: "https://evil.example" };
  const response = await browser.request("/sessions", { method: "POST", body, headers });
  assert.equal(response.status, 403);
});

test("an unknown path gets a page with a link, and a problem under /api", async () => {
  await using app = await TestApp.create();
  const { status, title, html } = await pageOf(app.browser(), "/nothing/here");
  assert.equal(status, 404);
  assert.match(title!, /Nothing here/);
  assert.match(html, /<a class="button" href="\/"/);
  const api = await app.browser().request("/api/nothing");
  assert.equal(api.status, 404);
  assert.equal(api.headers.get("content-type"), "application/problem+json");
});

test("a page answers an unsupported method with 405 and the accepted methods", async () => {
  await using app = await TestApp.create();
  const headers = { origin: app.origin };
  for (const path of ["/", "/signin", "/rooms", "/rooms/lobby"]) {
    const { status, response } = await pageOf(app.browser(), path, { method: "POST", headers });
    assert.equal(status, 405, path);
    assert.equal(response.headers.get("allow"), "GET, HEAD");
  }
});

test("a page says that the database is down, with Retry-After", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  await browser.signIn("ada");
  app.services.users.get = () => Promise.reject(new Error("disk on fire"));
  for (const path of ["/", "/rooms/lobby"]) {
    const { status, response, html } = await pageOf(browser, path);
    assert.equal(status, 503, path);
    assert.equal(response.headers.get("retry-after"), "5");
    assert.doesNotMatch(html, /disk on fire/);
    assert.match(html, new RegExp(`href="${path}"[^>]*>Try again`));
  }
});

test("an unexpected error reveals only that it happened", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  await browser.signIn("ada");
  app.services.sessions.list = () => Promise.reject(new Error("secret of the house"));
  const { status, response, html } = await pageOf(browser, "/sessions");
  assert.equal(status, 500);
  assert.doesNotMatch(html, /secret of the house|at .*\.ts/);
  assert.doesNotMatch(response.headers.get("content-security-policy")!, /unsafe-inline/);
});

test("the stylesheets and the icon of the pages exist", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  const { html } = await pageOf(browser, "/");
  const paths = [...html.matchAll(/<link [^>]*href="([^"]+)"/g)].map(([, href]) => href!);
  assert.ok(paths.length >= 2);
  for (const path of paths) assert.equal((await browser.request(path)).status, 200, path);
});

test("a room's composer enforces the server's limit", () => {
  assert.equal(pageLimit, serverLimit);
});
