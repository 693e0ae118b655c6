import { test } from "node:test";
import assert from "node:assert/strict";
import { allowAnonymous, origins, Refusal, type Scope, stack, toHandler } from "@sluice/sluice";
import { withOrigins } from "../../lib/security/with_origins.ts";
import { silent } from "../support/silent_log.ts";

/** Sends an upgrade from each origin; returns the details of the refusals and the warnings. */
async function refused(origins: readonly string[]) {
  const warnings: string[] = [];
  const log = { ...silent, warn: (message: string) => void warnings.push(message) };
  const application = withOrigins<Scope>([], () => assert.fail("accepted"));
  const details: string[] = [];
  for (const origin of origins) {
    const admission = await application({
      type: "websocket",
      headers: new Headers({ origin }),
      url: new URL("http://127.0.0.1:8000/ws/x"),
      connection: { log },
    } as unknown as Scope);
    assert.ok(admission instanceof Refusal);
    assert.equal(admission.code, "ORIGIN_NOT_ALLOWED");
    details.push(admission.detail);
  }
  return { details, warnings };
}

test("withOrigins() names localhost for 127.0.0.1, and another port, with what allows them", async () => {
  for (const origin of ["http://localhost:8000", "http://127.0.0.1:5173", "http://[::1]:8000"]) {
    const { details: [detail], warnings } = await refused([origin, origin]);
    assert.match(detail!, /The page is at \S+, but this server is at http:\/\/127\.0\.0\.1:8000/);
    assert.ok(detail!.includes(`ALLOWED_ORIGINS or origins(["${origin}"])`), detail);
    assert.deepEqual(warnings, [detail]);
  }
});

test("withOrigins() tells a foreign page nothing about the server, and warns of none", async () => {
  const foreign = [
    "https://evil.example",
    "http://localhost.evil.example",
    "null",
    "http://a@localhost",
  ];
  const { details, warnings } = await refused(foreign);
  for (const detail of details) assert.doesNotMatch(detail, /127\.0\.0\.1/);
  assert.deepEqual(warnings, []);
});

test("withOrigins() logs at most 20 origins, whatever clients send", async () => {
  const origins = Array.from({ length: 40 }, (_, index) => `http://localhost:${9_000 + index}`);
  const { warnings } = await refused(origins);
  assert.equal(warnings.length, 20);
});

test("withOrigins() reads the Referer of a plain request that has no Origin", async () => {
  const ask = (referer: string | undefined) => {
    const headers = new Headers({ "sec-fetch-site": "same-origin" });
    if (referer !== undefined) headers.set("referer", referer);
    const url = new URL("http://127.0.0.1:8000/ws/x");
    const scope = { type: "http", headers, url, connection: { log: silent } };
    const passed = new Refusal("NOT_SIGNED_IN");
    return withOrigins<Scope>([], () => passed)(scope as unknown as Scope) as Refusal;
  };
  const refusal = ask("http://localhost:8000/rooms/lobby");
  assert.equal(refusal.code, "ORIGIN_NOT_ALLOWED");
  assert.match(refusal.detail, /The page is at http:\/\/localhost:8000,/);
  for (const referer of ["http://127.0.0.1:8000/rooms/lobby", undefined, "", "about:blank"]) {
    const code = referer === "about:blank" ? "ORIGIN_NOT_ALLOWED" : "NOT_SIGNED_IN";
    assert.equal((await ask(referer)).code, code, referer);
  }
});

test("only the page of an origin that was probably meant may read its refusal", async () => {
  const stacked = stack().use(origins()).use(allowAnonymous()).routes([]);
  const handler = toHandler(stacked, { log: silent });
  const ask = async (origin: string) => {
    const request = new Request("http://127.0.0.1:8000/ws/x", { headers: { origin } });
    const response = await handler(request);
    const { code } = await response.json();
    const { headers } = response;
    return [
      code,
      headers.get("access-control-allow-origin"),
      headers.get("access-control-allow-credentials"),
      headers.get("vary"),
    ];
  };
  assert.deepEqual(
    await ask("http://localhost:8000"),
    ["ORIGIN_NOT_ALLOWED", "http://localhost:8000", "true", "origin"],
  );
  assert.deepEqual(
    await ask("https://evil.example"),
    ["ORIGIN_NOT_ALLOWED", null, null, null],
  );
  assert.deepEqual(await ask("http://127.0.0.1:8000"), ["NO_CONSUMER", null, null, null]);
});
