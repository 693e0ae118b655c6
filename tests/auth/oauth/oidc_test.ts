import assert from "node:assert/strict";
import { test } from "node:test";
import { OidcProvider, type User } from "../../../lib/auth/mod.ts";
import type { OidcOptions } from "../../../lib/auth/providers/oidc.ts";
import { FakeClock, settle } from "../../../lib/testing/fake_clock.ts";
import { testApp } from "../../support/auth/app.ts";
import { Browser } from "../../support/auth/browser.ts";
import { OidcDouble } from "../../support/auth/oidc_double.ts";

const ORIGIN = "https://app.example.com";

function setUp(options: Partial<OidcOptions> = {}, double = new OidcDouble()) {
  const clock = new FakeClock();
  const provider = new OidcProvider({
    issuer: double.issuer,
    clientId: "sluice",
    clientSecret: "client secret",
    fetch: double.fetch,
    clock,
    ...options,
  });
  const app = testApp([provider], { clock });
  const browser = new Browser(app.handle);
  const begin = () => browser.request(`${ORIGIN}/auth/signin?return_to=/x`);
  const signIn = async (parameters: Record<string, string> = {}) => {
    const begun = await begin();
    const location = begun.headers.get("location");
    return location === null
      ? begun
      : await browser.request(double.authorize(location, parameters));
  };
  const me = async (): Promise<User> => await (await browser.request(`${ORIGIN}/api/me`)).json();
  return { ...app, double, provider, browser, begin, signIn, me };
}

test("OidcProvider signs in with code, PKCE, state and nonce", async () => {
  const { double, begin, signIn, me } = setUp();
  const { searchParams } = new URL((await begin()).headers.get("location")!);
  assert.equal(searchParams.get("scope"), "openid profile email");
  assert.equal(searchParams.get("code_challenge_method"), "S256");
  assert.match(searchParams.get("nonce")!, /^[\w-]{43}$/);
  assert.equal((await signIn()).status, 303);
  const user = await me();
  assert.deepEqual([user.provider, user.login, user.name], ["oidc", "ada", "Ada"]);
  assert.equal(user.subject, `${double.issuer} sub-1`);
});

test("OidcProvider reads provider metadata once an hour", async () => {
  const { double, begin, clock } = setUp();
  const discoveries = () => double.requests.filter((path) => path.includes("well-known")).length;
  await Promise.all([begin(), begin(), begin()]);
  await clock.advance(3_599_999);
  await begin();
  assert.equal(discoveries(), 1);
  await clock.advance(1);
  await begin();
  assert.equal(discoveries(), 2);
});

test("OidcProvider retries failed discovery at the next sign-in", async () => {
  const { double, begin, signIn } = setUp();
  double.override = () => Promise.reject(new TypeError("connection refused"));
  const response = await begin();
  assert.equal(response.status, 503);
  assert.equal((await response.json()).code, "PROVIDER_UNAVAILABLE");
  double.override = undefined;
  assert.equal((await signIn()).status, 303);
});

test("OidcProvider waits at most five seconds for a provider", async () => {
  const { double, begin, clock } = setUp();
  double.override = () => new Promise(() => {});
  const answer = begin();
  await settle();
  await clock.advance(5000);
  assert.equal((await answer).status, 503);
});

test("OidcProvider waits at most five seconds for an endless body", async () => {
  const { double, begin, clock } = setUp();
  const drip = new ReadableStream({ start: (out) => out.enqueue(new Uint8Array(10)) });
  double.override = () => new Response(drip);
  const answer = begin();
  await settle();
  await clock.advance(5000);
  assert.equal((await answer).status, 503);
});

const BAD_ANSWERS: [what: string, response: () => Response][] = [
  ["no JSON", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
  ["half of JSON", () => new Response("{", { headers: { "content-type": "application/json" } })],
  ["an error in 200", () => Response.json({ error: "server_error" })],
  ["503", () => new Response("down", { status: 503 })],
  ["a redirect", () => Response.redirect("https://evil.example/")],
  ["null", () => Response.json(null)],
];

for (const path of ["/.well-known/openid-configuration", "/token", "/jwks"]) {
  for (const [what, response] of BAD_ANSWERS) {
    test(`OidcProvider throws PROVIDER_UNAVAILABLE if ${path} answers ${what}`, async () => {
      const { double, signIn } = setUp();
      double.override = (url) => url.pathname === path ? response() : undefined;
      const refused = await signIn();
      assert.ok(refused.status === 502 || refused.status === 503, String(refused.status));
      assert.equal((await refused.json()).code, "PROVIDER_UNAVAILABLE");
    });
  }
}

const SPOILED: [what: string, spoil: OidcDouble["spoil"]][] = [
  ["another nonce", (claims) => ({ ...claims, nonce: "x" })],
  ["no nonce", ({ nonce: _, ...claims }) => claims],
  ["another audience", (claims) => ({ ...claims, aud: "somebody else" })],
  ["another issuer", (claims) => ({ ...claims, iss: "https://evil.example" })],
  ["an expiry in the past", (claims) => ({ ...claims, exp: 1 })],
  ["no expiry", ({ exp: _, ...claims }) => claims],
  ["no subject", ({ sub: _, ...claims }) => claims],
  ["an empty subject", (claims) => ({ ...claims, sub: "" })],
];

for (const [what, spoil] of SPOILED) {
  test(`OidcProvider refuses an ID token with ${what}`, async () => {
    const { double, signIn, browser } = setUp();
    double.spoil = spoil;
    const response = await signIn();
    assert.equal(response.status, 502);
    assert.equal((await browser.request(`${ORIGIN}/api/me`)).status, 401);
  });
}

test("OidcProvider refuses an ID token signed by another key", async () => {
  const { double, signIn } = setUp();
  double.forge = true;
  assert.equal((await signIn()).status, 502);
});

test("OidcProvider refuses a callback with another issuer (RFC 9207)", async () => {
  const { signIn } = setUp();
  const response = await signIn({ iss: "https://evil.example" });
  assert.equal(response.status, 400);
  assert.equal((await response.json()).code, "TRANSACTION_INVALID");
});

test("OidcProvider refuses a callback without the issuer that the metadata promises", async () => {
  const { double, signIn } = setUp();
  double.metadata = { authorization_response_iss_parameter_supported: true };
  assert.equal((await signIn()).status, 400);
  assert.equal((await signIn({ iss: double.issuer })).status, 303);
});

test("OidcProvider reads no response larger than 1 MiB", async () => {
  const { double, begin } = setUp();
  double.metadata = { padding: "x".repeat(1_048_576) };
  assert.equal((await begin()).status, 503);
  double.metadata = { padding: "x".repeat(1_000_000) };
  assert.equal((await begin()).status, 302);
});

test("OidcProvider refuses a discovery document of another issuer", async () => {
  const { double, begin } = setUp();
  double.metadata = { issuer: "https://evil.example" };
  assert.equal((await begin()).status, 502);
});

test("OidcProvider refuses tokens sent through the browser, and repeated parameters", async () => {
  const { double, begin, browser, signIn } = setUp();
  assert.equal((await signIn({ id_token: "x.y.z" })).status, 400);
  assert.equal((await signIn({ code: "" })).status, 400);
  const location = (await begin()).headers.get("location")!;
  const doubled = await browser.request(`${double.authorize(location)}&code=other`);
  assert.equal(doubled.status, 400);
});

test("OidcProvider refuses a code that its provider refuses", async () => {
  const { signIn } = setUp();
  const response = await signIn({ code: "stolen" });
  assert.equal(response.status, 400);
  assert.equal((await response.json()).code, "PROVIDER_DENIED");
});

test("OidcProvider distinguishes a user's refusal from a provider failure", async () => {
  const { signIn } = setUp();
  const denied = await signIn({ error: "access_denied", error_description: "<i>No</i>\u0000" });
  assert.equal(denied.status, 400);
  assert.deepEqual(
    [(await denied.json()).reason],
    ["<i>No</i>"],
  );
  const failed = await signIn({ error: "temporarily_unavailable" });
  assert.equal(failed.status, 503);
});

const LOGINS: [claims: Record<string, unknown>, info: Record<string, unknown>, login: string][] = [
  [{ preferred_username: "ada", nickname: "x", name: "Ada" }, {}, "ada"],
  [{ nickname: "ada", email: "x@example.com", name: "Ada" }, {}, "ada"],
  [{ email: "ada@example.com", name: "Ada" }, {}, "ada"],
  [{}, { preferred_username: "ada", name: "Ada" }, "ada"],
  [{ preferred_username: 7, name: ["Ada"] }, { email: "ada@example.com" }, "ada"],
  [{ name: "Ada" }, {}, "Ada"],
];

test("OidcProvider finds a login among the claims, and reads userinfo if they are incomplete", async () => {
  for (const [claims, info, login] of LOGINS) {
    const { double, signIn, me } = setUp();
    double.claims = claims;
    double.userInfo = { sub: "sub-1", ...info };
    await signIn();
    assert.equal((await me()).login, login, JSON.stringify(claims));
  }
});

test("OidcProvider does not read userinfo if the claims suffice", async () => {
  const { double, signIn } = setUp();
  await signIn();
  assert.ok(!double.requests.includes("/userinfo"));
});

test("OidcProvider refuses userinfo claims of another user", async () => {
  const { double, signIn } = setUp();
  double.claims = {};
  double.userInfo = { sub: "sub-2", preferred_username: "eve" };
  assert.equal((await signIn()).status, 502);
});

test("OidcProvider signs in a user without a name, and keeps a known name", async () => {
  const { double, signIn, me } = setUp();
  double.claims = {};
  assert.equal((await signIn()).status, 303);
  assert.deepEqual([(await me()).login, (await me()).name], ["somebody", "somebody"]);
  double.claims = { preferred_username: "ada", name: "Ada" };
  await signIn();
  double.claims = { preferred_username: "\u3164", name: "\u2800" };
  double.override = (url) => url.pathname === "/userinfo" ? failure() : undefined;
  await signIn();
  assert.deepEqual([(await me()).login, (await me()).name], ["ada", "Ada"]);
});

function failure(): Response {
  return new Response("broken", { status: 500 });
}

type Answer = (double: OidcDouble) => Response | Promise<Response>;
const jwt = async (double: OidcDouble, claims: Record<string, unknown>) =>
  new Response(await double.sign(claims), { headers: { "content-type": "application/jwt" } });

const USER_INFO: [what: string, answer: Answer][] = [
  ["500", failure],
  ["401", () => Response.json({}, { status: 401 })],
  ["401 with a challenge", () => {
    return new Response(null, { status: 401, headers: { "www-authenticate": "Bearer" } });
  }],
  ["a redirect", () => Response.redirect("https://evil.example/")],
  ["HTML", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
  ["null", () => Response.json(null)],
  ["no subject", () => Response.json({ name: "Eve" })],
  ["a subject that is a number", () => Response.json({ sub: 1, name: "Eve" })],
  ["a JWT of another issuer", (double) => {
    return jwt(double, { sub: "sub-1", iss: "https://evil.example", name: "Eve" });
  }],
  ["a JWT signed by another key", async (double) => {
    double.forge = true;
    return await jwt(double, { sub: "sub-1", name: "Eve" });
  }],
  ["an encrypted JWT", () => {
    return new Response("a.b.c.d.e", { headers: { "content-type": "application/jwt" } });
  }],
  ["nothing: the connection breaks", () => Promise.reject(new TypeError("reset"))],
];
for (const [what, answer] of USER_INFO) {
  test(`OidcProvider signs in with the ID token only if userinfo answers ${what}`, async () => {
    const { double, signIn, me } = setUp();
    double.claims = { preferred_username: "ada" };
    double.override = (url) => url.pathname === "/userinfo" ? answer(double) : undefined;
    assert.equal((await signIn()).status, 303);
    const { login, name, subject } = await me();
    assert.deepEqual([login, name, subject], ["ada", "ada", `${double.issuer} sub-1`]);
  });
}

test("OidcProvider reads a userinfo response that is a signed JWT", async () => {
  const { double, signIn, me } = setUp();
  double.claims = {};
  const claims = { sub: "sub-1", aud: "sluice", preferred_username: "ada", name: "Ada" };
  double.override = (url) => url.pathname === "/userinfo" ? jwt(double, claims) : undefined;
  await signIn();
  assert.equal((await me()).name, "Ada");
  claims.sub = "sub-2";
  assert.equal((await signIn()).status, 502);
});

test("OidcProvider does not let an empty claim hide one of the ID token", async () => {
  const { double, signIn, me } = setUp();
  double.claims = { preferred_username: "ada" };
  double.userInfo = { sub: "sub-1", preferred_username: null, nickname: "", name: "Ada" };
  await signIn();
  assert.deepEqual([(await me()).login, (await me()).name], ["ada", "Ada"]);
});

const SLOPPY: Record<string, unknown>[] = [
  { expires_in: "" },
  { expires_in: "3600" },
  { expires_in: null },
  { expires_in: -1 },
  { expires_in: "soon" },
  { refresh_token: null },
  { refresh_token: "" },
  { scope: null },
  { scope: ["openid"] },
  { token_type: "BEARER" },
  { token_type: "bearer " },
  { token_type: undefined },
  { error: null },
  { error: "" },
];
for (const tokens of SLOPPY) {
  test(`OidcProvider accepts a token response with ${JSON.stringify(tokens)}`, async () => {
    const { double, signIn } = setUp();
    double.spoilTokens = (all) => ({ ...all, ...tokens });
    assert.equal((await signIn()).status, 303);
  });
}

const BROKEN: Record<string, unknown>[] = [
  { access_token: undefined },
  { access_token: "" },
  { access_token: 7 },
  { id_token: undefined },
  { id_token: null },
  { id_token: "a.b.c" },
  { token_type: "mac" },
  { error: "server_error" },
];
for (const tokens of BROKEN) {
  test(`OidcProvider refuses a token response with ${JSON.stringify(tokens)}`, async () => {
    const { double, signIn } = setUp();
    double.spoilTokens = (all) => ({ ...all, ...tokens });
    assert.equal((await signIn()).status, 502);
  });
}

for (const status of [200, 400, 401, 403]) {
  test(`OidcProvider shows the reason of an OAuth error in a ${status}`, async () => {
    const { double, signIn } = setUp();
    const answer = (error: string) =>
      new Response(JSON.stringify({ error, error_description: "The client secret is wrong" }), {
        status,
        headers: { "content-type": "text/plain", "www-authenticate": "Basic" },
      });
    double.override = (url) => url.pathname === "/token" ? answer("invalid_client") : undefined;
    const failed = await signIn();
    assert.deepEqual([failed.status, (await failed.json()).reason], [
      502,
      "The client secret is wrong",
    ]);
    double.override = (url) => url.pathname === "/token" ? answer("invalid_grant") : undefined;
    assert.equal((await signIn()).status, 400);
  });
}

const ISSUERS = [
  "https://auth.example/application/o/app/",
  "https://auth.example/application/o/app",
  "https://auth.example/",
  "https://auth.example",
  "https://auth.example:8443/a/",
];
for (const issuer of ISSUERS) {
  test(`OidcProvider signs in at ${issuer}, but not with another spelling of it`, async () => {
    const double = new OidcDouble(issuer);
    const { signIn, me } = setUp({ issuer, fetch: double.fetch }, double);
    assert.equal((await signIn()).status, 303);
    assert.equal((await me()).subject, `${issuer} sub-1`);

    const other = issuer.endsWith("/") ? issuer.slice(0, -1) : `${issuer}/`;
    const wrong = setUp({ issuer: other, fetch: double.fetch }, double);
    assert.equal((await wrong.begin()).status, 502);
    const message = `issuer is "${issuer}", but the configured issuer is "${other}"`;
    assert.ok(wrong.log.lines.some(({ fields }) => String(fields?.cause).includes(message)));
  });
}

test("OidcProvider limits issuer and subject separately", async () => {
  const issuer = `https://auth.example/${"r".repeat(900)}`;
  const double = new OidcDouble(issuer);
  const { signIn, me } = setUp({ issuer, fetch: double.fetch }, double);
  double.claims = { sub: "s".repeat(255), preferred_username: "ada", name: "Ada" };
  assert.equal((await signIn()).status, 303);
  assert.equal((await me()).subject.length, issuer.length + 1 + 255);
  for (const sub of ["s".repeat(256), "\ud800"]) {
    double.claims = { sub };
    double.userInfo = { sub };
    const refused = await signIn();
    assert.equal((await refused.json()).code, "PROFILE_INCOMPLETE");
  }
});

test("OidcProvider uses the client authentication that the provider supports", async () => {
  const basic = setUp();
  await basic.signIn();
  assert.match(basic.double.tokenRequest!.headers.get("authorization")!, /^Basic /);
  const post = setUp();
  post.double.metadata = { token_endpoint_auth_methods_supported: ["client_secret_post"] };
  await post.signIn();
  assert.equal(post.double.tokenRequest!.form.get("client_secret"), "client secret");
  const open = setUp({ clientSecret: undefined });
  await open.signIn();
  assert.equal(open.double.tokenRequest!.form.get("client_id"), "sluice");
});

test("new OidcProvider() accepts http on this machine only", () => {
  const clientId = "sluice";
  for (
    const issuer of ["http://id.example.com", "http://127.0.0.1.evil.example", "ftp://localhost"]
  ) {
    assert.throws(() => new OidcProvider({ issuer, clientId }), RangeError);
  }
  new OidcProvider({ issuer: "http://localhost:9000", clientId });
  for (const issuer of ["https://a.example/b c", `https://a.example/${"x".repeat(1_000)}`]) {
    assert.throws(() => new OidcProvider({ issuer, clientId }), RangeError);
  }
});
