import fc from "fast-check";
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Application, Scope } from "@sluice/sluice";
import { allowAnonymous } from "@sluice/sluice/auth";
import { Consumer } from "@sluice/sluice/consumers";
import { route, router, stack } from "@sluice/sluice/routing";
import { origins } from "@sluice/sluice/security";
import { resolvePeer, toHandler } from "@sluice/sluice/server";
import { startServer } from "@sluice/sluice/testing";
import { rawRequest } from "../support/raw_request.ts";
import { silent as log } from "../support/silent_log.ts";

/** Starts of targets that resemble a URL of another site, or no URL. */
const BEGINNINGS = [
  "/",
  "//",
  "///",
  "////",
  "/\\",
  "/\\\\",
  "/.//",
  "/..//",
  "/%2f",
  "/%2F%2f",
  "/%5c",
  "/;/",
  "//evil.example",
  "//evil.example:8000",
  "//evil.example:99999",
  "//evil.example:",
  "//user:password@evil.example",
  "//@evil.example",
  "//[",
  "//[::1]",
  "//[/",
  "//%5b",
  "//ws",
  "//sessions",
  "/@evil.example",
  "/:80",
  "http://evil.example",
  "https://evil.example",
  "HTTP://EVIL.EXAMPLE",
  "http://user:password@evil.example:99999",
  "http://[",
  "http:///evil.example",
  "http:evil.example",
  "ws://evil.example",
  "javascript:alert(1)//",
  "*",
];

const PIECES = [
  "/ws/echo",
  "/ws/%65cho",
  "/",
  "//",
  "..",
  "/../",
  "/%2e%2e/",
  "/./",
  "%zz",
  "%",
  "%00",
  "%2f",
  "\\",
  "?",
  "?a=//evil.example",
  "#",
  "#//evil.example",
  "@",
  ":",
  "[",
  "]",
  "|",
  '"',
  "evil.example",
  "\u00e9",
  "\u3002",
];

const target = fc.tuple(
  fc.constantFrom(...BEGINNINGS),
  fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 6 })), { maxLength: 5 }),
).map(([beginning, pieces]) => (beginning + pieces.join("")).replace(/\s/g, ""));

/** A request as Deno presents it: the URL is the target, or `http://`, `Host` and the target. */
function asReceived(target: string, host: string): Request {
  const isWhole = /^https?:\/\/[^/]/i.test(target);
  const url = isWhole ? target : `http://${host}${target}`;
  return { url, headers: new Headers({ host }) } as Request;
}

for (const publicUrl of ["https://app.example.com", undefined]) {
  const name = publicUrl === undefined ? "without PUBLIC_URL" : "with PUBLIC_URL";
  test(`2,000 request targets ${name} leave the site's origin unchanged, and none throws`, () => {
    const expected = publicUrl ?? "http://site.example:8000";
    fc.assert(
      fc.property(target, (target) => {
        const request = asReceived(target, "site.example:8000");
        const { url } = resolvePeer(request, undefined, { publicUrl, log });
        assert.deepEqual([url.origin, url.username, url.password, url.hash], [
          expected,
          "",
          "",
          "",
        ]);
        assert.ok(url.pathname.startsWith("/"));
      }),
      { numRuns: 2_000 },
    );
  });
}

class Echo extends Consumer {}

const HANDSHAKE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** Serves a consumer at each path, only for pages of the site. */
function site(publicUrl: string | undefined) {
  const seen: string[] = [];
  const noting = <S extends Scope>(next: Application<S>): Application<S> => (scope) => {
    seen.push(scope.url.origin);
    return next(scope);
  };
  const gate = stack().use(noting).use(origins([])).use(allowAnonymous());
  const application = gate.around(router<Scope>([route("/*", Echo)]));
  const server = startServer(toHandler(application, { ...(publicUrl && { publicUrl }), log }));
  const host = new URL(server.url).host;
  const own = publicUrl ?? server.url;
  const open = (target: string, origin: string) =>
    rawRequest(
      server.url,
      `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\n${HANDSHAKE}\r\n`,
    );
  return { seen, own, open, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const ATTACKS: [target: string, origin: string][] = [
  ["//evil.example.com/ws/echo", "https://evil.example.com"],
  ["//evil.example.com/ws/echo", "http://evil.example.com"],
  ["//ws/ws/echo", "http://ws"],
  ["/\\evil.example/ws/echo", "http://evil.example"],
  ["http://evil.example/ws/echo", "http://evil.example"],
  ["https://evil.example/ws/echo", "https://evil.example"],
  ["//user@evil.example/ws/echo", "http://evil.example"],
];

for (const publicUrl of ["https://app.example.com", undefined]) {
  const name = publicUrl === undefined ? "without PUBLIC_URL" : "with PUBLIC_URL";

  test(`no request target ${name} makes another origin the site's own (cross-site WebSocket hijacking)`, async () => {
    await using server = site(publicUrl);
    for (const [target, origin] of ATTACKS) {
      assert.equal((await server.open(target, origin)).status, 403, `${target} from ${origin}`);
      assert.equal((await server.open(target, server.own)).status, 101, `${target} from the site`);
    }
  });

  test(`200 request targets ${name} over TCP admit pages of the site only`, async () => {
    await using server = site(publicUrl);
    for (const text of fc.sample(target, 200)) {
      const path = text.replace(/[^\x21-\x7e]/g, "");
      const [own, evil] = await Promise.all([
        server.open(path, server.own),
        server.open(path, "http://evil.example"),
      ]);
      const https = await server.open(path, "https://evil.example");
      // Deno itself refuses invalid request targets.
      const refused = own.status === 400 ? 400 : 403;
      assert.deepEqual([evil.status, https.status], [refused, refused], path);
      if (own.status !== 400) assert.equal(own.status, 101, path);
    }
    assert.deepEqual([...new Set(server.seen)], [server.own]);
  });
}
