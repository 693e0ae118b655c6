import { test } from "node:test";
import assert from "node:assert/strict";
import { launchBrowser, whyNoBrowser } from "../../support/browser/browser.ts";
import { LiveApp } from "../../support/app/live_app.ts";

const skip = await whyNoBrowser();

/** Characters that `String.trim()` removes, and RFC 6265 does not. */
const BLANKS = ["\u00a0", "\u00a0\u00a0"];

/** Another site on the same host, over plain HTTP: browsers send its cookies to the app, too. */
function serveNeighbour(cookies: readonly string[]) {
  const stop = new AbortController();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", signal: stop.signal, onListen() {} },
    () => {
      const headers = new Headers({ "content-type": "text/html" });
      for (const cookie of cookies) headers.append("set-cookie", cookie);
      return new Response("<!doctype html><title>Neighbour</title>", { headers });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await server.finished;
    },
  };
}

test("a cookie whose name begins with byte A0 does not replace the session in Chromium", {
  skip,
}, async () => {
  await using app = await LiveApp.start({ TRUST_PROXY: "1" });
  const { sessions, users } = app.app.services;
  const signIn = async (login: string) => {
    const profile = { provider: "dev", subject: login, login, name: login, avatarUrl: undefined };
    const user = await users.save(profile);
    return (await sessions.create({ userId: user.id, provider: "dev" })).token;
  };
  const [victim, attacker] = [await signIn("ada"), await signIn("mallory")];
  // A cookie with a longer path is sent first.
  const planted = BLANKS.map((blank) => `${blank}__Host-session=${attacker}; Path=/api`);
  await using neighbour = serveNeighbour(planted);
  await using browser = await launchBrowser();
  const context = await browser.newContext({
    extraHTTPHeaders: { "x-forwarded-proto": "https" },
  });
  const page = await context.newPage();
  await page.goto(neighbour.url);
  const secure = { name: "__Host-session", value: victim, secure: true };
  await context.addCookies([{ ...secure, url: app.origin.replace("http", "https") }]);
  const sent = page.waitForRequest(/\/api\/me$/).then((request) => request.allHeaders());
  const answer = await page.goto(`${app.origin}/api/me`);
  const { cookie = "" } = await sent;
  assert.ok(cookie.includes(attacker), "the browser did not send the planted cookie");
  assert.equal((await answer!.json()).login, "ada");
});
