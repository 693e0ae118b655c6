import { test } from "node:test";
import assert from "node:assert/strict";
import type { Scope } from "@sluice/sluice";
import { Consumer } from "@sluice/sluice/consumers";
import { route, router } from "@sluice/sluice/routing";
import { createCrossOrigin } from "@sluice/sluice/security";
import { withOrigins } from "../../lib/security/with_origins.ts";
import { communicate } from "@sluice/sluice/testing";

class Anyone extends Consumer {}
const zeroConfiguration = withOrigins([], router<Scope>([route("/ws/x", Anyone)]));

/** A page that opens a socket, and whether it is admitted by default. */
type Row = readonly [address: string, origin: string | undefined, isAdmitted: boolean];

const ROWS: readonly Row[] = [
  // Ports: the default port counts as written.
  ["http://a.example/ws/x", "http://a.example", true],
  ["http://a.example:80/ws/x", "http://a.example", true],
  ["http://a.example/ws/x", "http://a.example:80", true],
  ["https://a.example/ws/x", "https://a.example:443", true],
  ["http://a.example:8000/ws/x", "http://a.example", false],
  ["http://a.example:8000/ws/x", "http://a.example:8001", false],
  ["http://a.example/ws/x", "http://a.example:0", false],
  // Schemes.
  ["https://a.example/ws/x", "http://a.example", false],
  ["http://a.example/ws/x", "https://a.example", false],
  ["http://a.example/ws/x", "ws://a.example", false],
  ["http://a.example/ws/x", "file://a.example", false],
  ["http://a.example/ws/x", "chrome-extension://abcdef", false],
  // Similar names.
  ["http://a.example/ws/x", "http://A.EXAMPLE", true],
  ["http://a.example/ws/x", "http://a.example.", false],
  ["http://a.example/ws/x", "http://b.a.example", false],
  ["http://b.a.example/ws/x", "http://a.example", false],
  ["http://a.example/ws/x", "http://a.example.evil.example", false],
  ["http://a.example/ws/x", "http://evila.example", false],
  ["http://a.example/ws/x", "http://a.example@evil.example", false],
  ["http://a.example/ws/x", "http://evil.example#a.example", false],
  ["http://a.example/ws/x", "http://evil.example?a.example", false],
  ["http://a.example/ws/x", "http://a.example%00.evil.example", false],
  ["http://a.example/ws/x", "http://a.example%2eevil.example", false],
  // Other alphabets: two spellings of one name are equal, names that only look alike are not.
  ["http://xn--mnchen-3ya.example/ws/x", "http://xn--mnchen-3ya.example", true],
  ["http://xn--mnchen-3ya.example/ws/x", "http://munchen.example", false],
  ["http://a.example/ws/x", "http://xn--80a.example", false],
  // Addresses in several spellings.
  ["http://127.0.0.1:8000/ws/x", "http://127.0.0.1:8000", true],
  ["http://127.0.0.1:8000/ws/x", "http://localhost:8000", false],
  ["http://localhost:8000/ws/x", "http://127.0.0.1:8000", false],
  ["http://127.0.0.1/ws/x", "http://2130706433", true],
  ["http://127.0.0.1/ws/x", "http://127.0.0.2", false],
  ["http://[::1]:8000/ws/x", "http://[::1]:8000", true],
  ["http://[::1]:8000/ws/x", "http://[0:0:0:0:0:0:0:1]:8000", true],
  ["http://[::1]:8000/ws/x", "http://[::1]", false],
  ["http://[::1]:8000/ws/x", "http://[::2]:8000", false],
  ["http://127.0.0.1/ws/x", "http://[::ffff:127.0.0.1]", false],
  // Invalid origins.
  ["http://a.example/ws/x", "null", false],
  ["http://a.example/ws/x", "", false],
  ["http://a.example/ws/x", "a.example", false],
  ["http://a.example/ws/x", "//a.example", false],
  ["http://a.example/ws/x", "http://a.example/", false],
  ["http://a.example/ws/x", "http://a.example http://a.example", false],
  ["http://a.example/ws/x", "http://a.example, http://evil.example", false],
  ["http://a.example/ws/x", undefined, false],
];
for (const [address, origin, isAdmitted] of ROWS) {
  const what = origin === undefined ? "no origin" : `"${origin}"`;
  test(`${address} from ${what} is ${isAdmitted ? "admitted" : "refused"} by default`, async () => {
    const headers: Record<string, string> = origin === undefined ? {} : { origin };
    assert.equal(await admits(zeroConfiguration, { path: address, headers }), isAdmitted);
  });
}

/** Headers that a page of another site might forge. */
const FORGED: readonly Record<string, string>[] = [
  { "x-forwarded-host": "evil.example" },
  { "x-forwarded-proto": "https", "x-forwarded-host": "evil.example" },
  { "forwarded": "host=evil.example;proto=https" },
  { "x-original-host": "evil.example" },
  { "referer": "http://a.example/" },
  { "sec-fetch-site": "same-origin" },
  { "sec-websocket-origin": "http://a.example" },
  { "sec-websocket-protocol": "sluice.v1, sluice.ticket.x" },
  { "access-control-request-method": "GET" },
];
for (const forged of FORGED) {
  test(`a page of another site is refused despite a forged ${Object.keys(forged)}`, async () => {
    const headers = { origin: "https://evil.example", ...forged };
    const path = "http://a.example/ws/x";
    assert.equal(await admits(zeroConfiguration, { path, headers }), false);
  });
}

const SITES: [site: string, isAdmitted: boolean][] = [
  ["same-origin", true],
  ["cross-site", false],
];
for (const [site, isAdmitted] of SITES) {
  test(`the own origin with Sec-Fetch-Site: ${site} is ${isAdmitted ? "admitted" : "refused"}`, async () => {
    const headers = { origin: "http://a.example", "sec-fetch-site": site };
    const path = "http://a.example/ws/x";
    assert.equal(await admits(zeroConfiguration, { path, headers }), isAdmitted);
  });
}

test("headers of an untrusted proxy do not change the site's own origin", async () => {
  const headers = {
    origin: "https://public.example",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "public.example",
  };
  const path = "http://10.0.0.7:8000/ws/x";
  assert.equal(await admits(zeroConfiguration, { path, headers }), false);
  assert.equal(await admits(zeroConfiguration, { path, headers, trustProxy: true }), true);
  const publicUrl = "https://public.example";
  assert.equal(await admits(zeroConfiguration, { path, headers, publicUrl }), true);
  const evil = { ...headers, "x-forwarded-host": "public.example, evil.example" };
  assert.equal(
    await admits(zeroConfiguration, { path, headers: evil, trustProxy: true }),
    false,
    "the last value is the proxy's own",
  );
});

test("createCrossOrigin() allows only listed origins, each by its own name", () => {
  const url = new URL("https://app.example/ws/x");
  const crossOrigin = createCrossOrigin([".friend.example", "http://localhost:3000"]);
  const allowed = (origin: string) =>
    crossOrigin.headersFor(new Request(url, { headers: { origin } }), url)
      ?.get("access-control-allow-origin");
  for (const origin of ["https://a.friend.example", "http://localhost:3000"]) {
    assert.equal(allowed(origin), origin);
  }
  for (
    const origin of [
      "https://evil.example",
      "https://evilfriend.example",
      "http://localhost:3001",
      "https://app.example",
      "null",
      "https://a.friend.example\\@evil.example",
    ]
  ) {
    assert.equal(allowed(origin), undefined, origin);
  }
  assert.equal(crossOrigin.headersFor(new Request(url), url), undefined);
});

async function admits(
  application: typeof zeroConfiguration,
  options: Parameters<typeof communicate>[1],
): Promise<boolean> {
  const result = await communicate(application, options).connect();
  if (!result.accepted) assert.deepEqual([result.status, result.code], [403, "ORIGIN_NOT_ALLOWED"]);
  return result.accepted;
}
