import { test } from "node:test";
import assert from "node:assert/strict";
import { OidcDouble } from "../support/auth/oidc_double.ts";
import { TestApp } from "../support/app/test_app.ts";
import type { HttpBrowser } from "../support/app/http_browser.ts";

/** The app, and an OpenID Connect provider over real HTTP with this path in its issuer. */
async function setUp(path: string, env: Record<string, string> = {}) {
  const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
  const server = Deno.serve(options, async (request): Promise<Response> => {
    const { method, headers } = request;
    const body = method === "POST" ? await request.text() : null;
    return await double.fetch(request.url, { method, headers, body });
  });
  const double: OidcDouble = new OidcDouble(`http://127.0.0.1:${server.addr.port}${path}`);
  const settings = { OIDC_ISSUER: double.issuer, OIDC_CLIENT_ID: "sluice", ...env };
  const app = await TestApp.create(settings);
  const begin = (browser: HttpBrowser, headers: HeadersInit = {}) =>
    browser.request("/auth/signin?return_to=/rooms", { headers });
  const signIn = async (browser: HttpBrowser, claims: Record<string, unknown>) => {
    double.claims = claims;
    double.userInfo = { sub: "sub-1", ...claims };
    const begun = await begin(browser);
    const { pathname, search } = new URL(double.authorize(begun.headers.get("location")!));
    return await browser.request(pathname + search);
  };
  const dispose = async () => {
    await app[Symbol.asyncDispose]();
    await server.shutdown();
  };
  return { app, double, begin, signIn, [Symbol.asyncDispose]: dispose };
}

const NOT_ADA: Record<string, unknown>[] = [
  { preferred_username: "ada" },
  { email: "ada@elsewhere.example", email_verified: false },
  { email: "ada@elsewhere.example", email_verified: true },
  { preferred_username: "ad\u200ba" },
  { preferred_username: "ad\u00ada" },
  { nickname: "ada" },
  { name: "ada" },
  { sub: "Ada", preferred_username: "ada" },
  { sub: "ada ", preferred_username: "ada" },
  { sub: "ad\u200ba", preferred_username: "ada" },
];
for (const claims of NOT_ADA) {
  test(`ADMINS=oidc:ada does not match a user with ${JSON.stringify(claims)}`, async () => {
    await using bed = await setUp("", { ADMINS: "oidc:ada" });
    const browser = bed.app.browser();
    assert.equal((await bed.signIn(browser, claims)).status, 303);
    assert.equal((await (await browser.request("/api/me")).json()).login, "ada");
    assert.equal((await browser.request("/people")).status, 404);
    assert.doesNotMatch(await (await browser.request("/")).text(), /href="\/people"/);
  });
}

test("ADMINS=oidc:ada matches the user with the subject ada, regardless of the login", async () => {
  await using bed = await setUp("/application/o/app/", { ADMINS: "oidc:ada" });
  const browser = bed.app.browser();
  const signed = await bed.signIn(browser, { sub: "ada", preferred_username: "countess" });
  assert.deepEqual([signed.status, signed.headers.get("location")], [303, "/rooms"]);
  assert.equal((await browser.request("/people")).status, 200);
});

test("the app asks a signed-in user before another site signs them in again", async () => {
  await using bed = await setUp("");
  const browser = bed.app.browser();
  await bed.signIn(browser, { preferred_username: "ada", name: "Ada <b>" });
  const headers = {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  };
  const asked = await bed.begin(browser, headers);
  assert.equal(asked.status, 409);
  const html = await asked.text();
  assert.match(html, /Sign in again\?/);
  assert.match(html, /You are Ada &lt;b(>|&gt;) here/);
  assert.match(html, /href="\/auth\/signin\?provider=oidc&amp;return_to=%2Frooms"/);
  assert.equal((await browser.request("/api/me")).status, 200);

  const stranger = bed.app.browser();
  assert.equal((await bed.begin(stranger, headers)).status, 302);
  const picture = { ...headers, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" };
  assert.equal((await bed.begin(stranger, picture)).status, 403);
});

test("images on another site do not use up the sign-ins of an address", async () => {
  await using bed = await setUp("", { SIGN_INS_PER_ADDRESS: "10" });
  const picture = {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "no-cors",
    "sec-fetch-dest": "image",
  };
  for (let n = 0; n < 60; n++) await (await bed.begin(bed.app.browser(), picture)).body?.cancel();
  assert.equal((await bed.signIn(bed.app.browser(), { preferred_username: "ada" })).status, 303);
});

test("an issuer other than OIDC_ISSUER results in an error page and a log line", async () => {
  await using bed = await setUp("/o/app");
  bed.double.metadata = { issuer: `${bed.double.issuer}/` };
  const failed = await bed.begin(bed.app.browser());
  assert.equal(failed.status, 502);
  assert.match(await failed.text(), /Sign-in failed/);
});
