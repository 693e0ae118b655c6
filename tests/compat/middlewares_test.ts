import assert from "node:assert/strict";
import { test } from "node:test";
import { App, cors, csp, csrf, type CsrfOptions } from "fresh";
import { fetcher } from "./support.ts";

function guarded(options?: CsrfOptions) {
  return fetcher(new App().use(csrf(options)).all("/", (ctx) => ctx.text("in")));
}

test("csrf() allows read requests from each site", async () => {
  for (const method of ["GET", "HEAD", "OPTIONS"]) {
    const headers = { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" };
    assert.equal((await guarded()("/", { method, headers })).status, 200);
  }
});

const POSTS: [what: string, headers: Record<string, string>, status: number][] = [
  ["of the same origin", { "Sec-Fetch-Site": "same-origin" }, 200],
  ["made by the user", { "Sec-Fetch-Site": "none" }, 200],
  ["of another site", { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" }, 403],
  ["of the same site but another origin", { "Sec-Fetch-Site": "same-site" }, 403],
  ["with the same Origin", { Origin: "http://localhost" }, 200],
  ["with another Origin", { Origin: "https://evil.example" }, 403],
  ["with an opaque Origin", { Origin: "null" }, 403],
  ["not made by a browser", {}, 200],
];

for (const [what, headers, status] of POSTS) {
  test(`csrf() answers a POST ${what} with ${status}`, async () => {
    assert.equal((await guarded()("/", { method: "POST", headers })).status, status);
  });
}

test("csrf() allows the configured origins", async () => {
  const headers = { Origin: "https://friend.example", "Sec-Fetch-Site": "cross-site" };
  const init = { method: "POST", headers };
  const allowed: CsrfOptions["origin"][] = [
    "https://friend.example",
    ["https://friend.example"],
    (origin) => origin.endsWith("friend.example"),
  ];
  for (const origin of allowed) assert.equal((await guarded({ origin })("/", init)).status, 200);
});

test("csp() sets a policy whose directives can be replaced by name", async () => {
  const app = new App().use(csp({ csp: ["img-src *"] })).get("/", (ctx) => ctx.text(""));
  const policy = (await fetcher(app)("/")).headers.get("Content-Security-Policy") ?? "";
  assert.match(policy, /default-src 'self'; script-src 'self' 'unsafe-inline';/);
  assert.match(policy, /img-src \*/);
  assert.doesNotMatch(policy, /img-src 'self'/);
});

test("csp() can report without blocking", async () => {
  const app = new App()
    .use(csp({ reportOnly: true, reportTo: "/reports" }))
    .get("/", (ctx) => ctx.text(""));
  const { headers } = await fetcher(app)("/");
  assert.equal(headers.get("Content-Security-Policy"), null);
  const policy = headers.get("Content-Security-Policy-Report-Only") ?? "";
  assert.match(policy, /report-to csp-endpoint; report-uri \/reports/);
  assert.equal(headers.get("Reporting-Endpoints"), 'csp-endpoint="/reports"');
});

test("csp() has no nonce for a response that is not a page", async () => {
  const app = new App().use(csp({ useNonce: true })).get("/", (ctx) => ctx.text(""));
  const policy = (await fetcher(app)("/")).headers.get("Content-Security-Policy") ?? "";
  assert.match(policy, /script-src 'self' 'unsafe-inline'/);
});

test("cors() names the allowed origin and answers its preflight", async () => {
  const origin = "https://friend.example";
  const app = new App()
    .use(cors({ origin: [origin], credentials: true, maxAge: 5 }))
    .get("/", (ctx) => ctx.text(""));
  const fetch = fetcher(app);
  const response = await fetch("/", { headers: { Origin: origin } });
  assert.equal(response.headers.get("Access-Control-Allow-Origin"), origin);
  assert.equal(response.headers.get("Access-Control-Allow-Credentials"), "true");
  assert.equal(response.headers.get("Vary"), "Origin");
  const preflight = await fetch("/", { method: "OPTIONS", headers: { Origin: origin } });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("Access-Control-Max-Age"), "5");
  const stranger = await fetch("/", { headers: { Origin: "https://evil.example" } });
  assert.equal(stranger.headers.get("Access-Control-Allow-Origin"), null);
});
