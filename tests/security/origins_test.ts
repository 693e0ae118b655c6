import { test } from "node:test";
import assert from "node:assert/strict";
import type { Scope } from "@sluice/sluice";
import { Consumer } from "@sluice/sluice/consumers";
import { route, router } from "@sluice/sluice/routing";
import { isCrossSite } from "@sluice/sluice/security";
import { parseOriginRule } from "../../lib/security/origin_rules.ts";
import { parseOrigin } from "../../lib/security/origin.ts";
import { withOrigins } from "../../lib/security/with_origins.ts";
import { communicate } from "@sluice/sluice/testing";

const RULES: [rule: string, origin: string, isAllowed: boolean][] = [
  ["allowed-domain.com", "http://allowed-domain.com", true],
  ["allowed-domain.com", "https://allowed-domain.com", true],
  ["allowed-domain.com", "http://bad-domain.com", false],
  ["allowed-domain.com", "http://allowed-domain.com:9999", true],
  ["allowed-domain.com", "http://www.allowed-domain.com", false],
  ["allowed-domain.com", "http://allowed-domain.com.evil.com", false],
  ["allowed-domain.com:80", "http://allowed-domain.com:9999", false],
  ["allowed-domain.com:80", "http://allowed-domain.com", true],
  ["allowed-domain.com:9999", "https://allowed-domain.com:9999", true],
  [".allowed-domain.com", "http://www.allowed-domain.com", true],
  [".allowed-domain.com", "http://a.b.allowed-domain.com", true],
  [".allowed-domain.com", "http://allowed-domain.com", true],
  [".allowed-domain.com", "http://evilallowed-domain.com", false],
  [".allowed-domain.com", "http://allowed-domain.com.evil.com", false],
  ["http://allowed-domain.com", "http://allowed-domain.com", true],
  ["http://allowed-domain.com", "http://allowed-domain.com:80", true],
  ["http://allowed-domain.com", "https://allowed-domain.com", false],
  ["http://allowed-domain.com", "http://allowed-domain.com:8080", false],
  ["https://app.example.com:8443", "https://app.example.com:8443", true],
  ["https://app.example.com:8443", "https://app.example.com", false],
  ["http://.good.com:80", "http://a.b.good.com", true],
  ["http://.good.com:80", "https://a.b.good.com", false],
  ["HTTP://A.com", "http://a.COM", true],
  ["custom://x", "custom://x", true],
  ["custom://x", "http://x", false],
  ["*", "https://anything.example", true],
  ["*", "null", false],
  ["*", "", false],
  ["*", "//a.com", false],
  ["*", "a.com", false],
  ["*", "https://user@a.com", false],
  ["*", "https://user:secret@a.com", false],
  ["*", "https://a.com/path", false],
  ["*", "https://a.com?x", false],
  ["*", "https://a.com#x", false],
  ["*", "https://a.com https://b.com", false],
  ["*", "https://a.com\\@b.com", false],
  ["a.com", "null", false],
  ["a.com", "//a.com", false],
  ["a.com", "https://a.com@evil.com", false],
  ["münchen.example", "https://xn--mnchen-3ya.example", true],
  ["xn--mnchen-3ya.example", "https://münchen.example", true],
  ["[::1]", "http://[::1]:8000", true],
  ["http://[::1]:8000", "http://[::1]:8000", true],
  ["http://[::1]:8000", "http://[::2]:8000", false],
  ["127.0.0.1", "http://127.0.0.1:3000", true],
  ["127.0.0.1", "http://127.0.0.1.evil.com", false],
  ["a.com", "https://a.com.", false],
  [".com", "https://a.com", true],
];
for (const [rule, origin, isAllowed] of RULES) {
  test(`the rule ${rule} ${isAllowed ? "allows" : "refuses"} the origin "${origin}"`, () => {
    const parsed = parseOrigin(origin);
    assert.equal(parsed !== undefined && parseOriginRule(rule)(parsed), isAllowed);
  });
}

for (const rule of ["", "*.a.com", "https://", "https://a.com/x", "a b", "https://u@a.com"]) {
  test(`parseOriginRule() refuses "${rule}"`, () => {
    assert.throws(() => parseOriginRule(rule), TypeError);
  });
}

class Anyone extends Consumer {}
const application = withOrigins(["https://friend.example"], router<Scope>([route("/", Anyone)]));

const UPGRADES: [headers: Record<string, string>, status: number, why: string][] = [
  [{ origin: "http://sluice.test" }, 101, "the same origin"],
  [{ origin: "http://sluice.test", "sec-fetch-site": "same-origin" }, 101, "the same, said twice"],
  [{ origin: "http://sluice.test", "sec-fetch-site": "cross-site" }, 403, "a contradiction"],
  [{ origin: "https://sluice.test" }, 403, "another scheme"],
  [{ origin: "http://sluice.test:81" }, 403, "another port"],
  [{ origin: "https://friend.example" }, 101, "an origin on the list"],
  [{ origin: "https://evil.example" }, 403, "an origin not on the list"],
  [{ origin: "null" }, 403, "null"],
  [{}, 403, "no origin"],
  [{ "sec-fetch-site": "same-origin" }, 403, "no origin on an upgrade, whatever else it says"],
  [{ "sec-websocket-protocol": "sluice.v1, sluice.ticket.x" }, 101, "no origin, with a ticket"],
  [
    { origin: "https://evil.example", "sec-websocket-protocol": "sluice.v1, sluice.ticket.x" },
    403,
    "a foreign origin with a ticket",
  ],
];
for (const [headers, status, why] of UPGRADES) {
  test(`an upgrade from ${why} is ${status === 101 ? "admitted" : "refused with 403"}`, async () => {
    const result = await communicate(application, { headers }).connect();
    assert.equal(result.accepted ? 101 : result.status, status);
    if (!result.accepted) assert.equal(result.code, "ORIGIN_NOT_ALLOWED");
  });
}

const PLAIN: [headers: Record<string, string>, status: number][] = [
  [{}, 403],
  [{ "sec-fetch-site": "same-origin" }, 426],
  [{ "sec-fetch-site": "same-site" }, 403],
  [{ "sec-fetch-site": "none" }, 403],
  [{ "sec-fetch-site": "cross-site" }, 403],
  [{ origin: "http://sluice.test" }, 426],
  [{ origin: "https://evil.example" }, 403],
];
for (const [headers, status] of PLAIN) {
  test(`a plain GET with ${JSON.stringify(headers)} is answered with ${status}`, async () => {
    assert.equal((await communicate(application, { headers }).request()).status, status);
  });
}

const CHANGES: [method: string, headers: Record<string, string>, isCrossSite: boolean][] = [
  ["GET", { origin: "https://evil.example" }, false],
  ["POST", {}, false],
  ["POST", { origin: "http://sluice.test" }, false],
  ["POST", { origin: "https://evil.example" }, true],
  ["POST", { origin: "null" }, true],
  ["POST", { "sec-fetch-site": "same-origin" }, false],
  ["POST", { "sec-fetch-site": "none" }, false],
  ["POST", { "sec-fetch-site": "same-site" }, true],
  ["DELETE", { "sec-fetch-site": "cross-site", origin: "http://sluice.test" }, true],
  ["DELETE", { "sec-fetch-site": "same-origin", origin: "https://evil.example" }, true],
];
for (const [method, headers, expected] of CHANGES) {
  test(`a ${method} with ${JSON.stringify(headers)} ${expected ? "is" : "is not"} cross-site`, () => {
    const url = new URL("http://sluice.test/api/sessions");
    assert.equal(isCrossSite(new Request(url, { method, headers }), url), expected);
  });
}
