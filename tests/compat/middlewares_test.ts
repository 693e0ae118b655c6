import assert from "node:assert/strict";
import { test } from "node:test";
import { App, csp } from "fresh";
import { fetcher } from "../support/compat/fresh_app.ts";

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
